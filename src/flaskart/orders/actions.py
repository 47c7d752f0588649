"""What happens to an order once it is agreed."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ColumnElement, bindparam, cast, func, insert, literal, select, update
from sqlalchemy.types import TypeEngine

from flaskart.inventory import actions as inventory
from flaskart.kit import clock, jobs
from flaskart.kit.actor import Actor
from flaskart.kit.db import Session
from flaskart.kit.personal import erased_name
from flaskart.orders import queries
from flaskart.orders.errors import InvalidTransition
from flaskart.orders.models import (
    EventKind,
    FulfillmentStatus,
    Order,
    OrderEvent,
    OrderLine,
    OrderStatus,
    PaymentStatus,
    ReturnStatus,
)
from flaskart.orders.queries import OrderInFull
from flaskart.pricing.totals import add_up

FIRST_NUMBER = 1000


@dataclass(frozen=True, slots=True)
class Agreed:
    """One line as agreed: its price is for one piece, in minor units."""

    product_id: int
    variant_id: int
    sku: str
    product_name: str
    unit_price_minor: int
    quantity: int


def record_order(
    session: Session, actor: Actor, *, cart_id: int, email: str, currency: str, lines: Sequence[Agreed]
) -> OrderInFull:
    """Write down an order with copies of all it agrees on. Takes no stock."""
    now = clock.now()
    totals = add_up((line.unit_price_minor, line.quantity) for line in lines)
    agreed = {
        "cart_id": cart_id,
        "customer_id": actor.customer_id,
        "email": email,
        "currency": currency,
        "items_count": sum(line.quantity for line in lines),
        "subtotal_minor": totals.subtotal_minor,
        "total_minor": totals.total_minor,
        "placed_at": now,
    }
    order_id = session.send(_ADD_ORDER, agreed).scalar_one()
    written = session.send(_ADD_LINES, {"order_id": order_id, "lines": dict(enumerate(map(asdict, lines)))}).all()
    _record(session, order_id, EventKind.PLACED, actor, now)
    order = session.send(_NUMBER, {"added_id": order_id, "new_number": str(FIRST_NUMBER + order_id)}).one()
    return OrderInFull(order, sorted(written, key=lambda line: line.position))


def cancel_order(session: Session, actor: Actor, order_id: int) -> OrderInFull:
    """Cancel one's own order and give its stock back, as long as nothing of it is fulfilled. May be repeated.

    Raises:
        OrderNotFound: no such order, or somebody else's.
        InvalidTransition: something of it is fulfilled; `allowed` lists the statuses it may still get.
    """
    order = queries.lock_order(session, actor, order_id)
    if order.status != OrderStatus.CANCELED:
        if order.status != OrderStatus.PLACED or order.fulfillment_status != FulfillmentStatus.UNFULFILLED:
            raise InvalidTransition(order_status=order.status, fulfillment_status=order.fulfillment_status, allowed=[])
        now = clock.now()
        order.status, order.canceled_at = OrderStatus.CANCELED, now
        order.fulfillment_status = FulfillmentStatus.CANCELED
        session.flush()
        _record(session, order_id, EventKind.CANCELED, actor, now)
        inventory.release(session, reference=stock_reference(order_id))
    return queries.get_order(session, actor, order_id)


def erase_person(session: Session, customer_id: int) -> None:
    """Replace what a person's orders say of them; lines, amounts and times stay, for the books. May be repeated.

    Mails about the orders that were not sent yet are not sent any more.
    """
    own = Order.customer_id == customer_id
    session.execute(select(Order.id).where(own).order_by(Order.id).with_for_update(key_share=True))
    session.execute(update(Order).where(own).values(email=erased_name(customer_id)))
    jobs.cancel(session, "order_id", select(Order.id).where(own), prefix="mail.")


def stock_reference(order_id: int) -> str:
    """Return the name under which the stock ledger knows an order."""
    return f"order:{order_id}"


def _record(session: Session, order_id: int, kind: EventKind, actor: Actor, now: datetime) -> None:
    event = {"order_id": order_id, "kind": kind.value, "customer_id": actor.customer_id, "created_at": now}
    session.send(_ADD_EVENT, event)


def _agreed(name: str, kind: TypeEngine[Any]) -> ColumnElement[Any]:
    """Return a member of a line that comes as JSON."""
    return cast(_LINES.c.value.op("->>")(name), kind)


# Put together once: building them takes longer than running them.
_ADD_ORDER = (
    insert(Order)
    .values(
        status=OrderStatus.PLACED.value,
        payment_status=PaymentStatus.NONE.value,
        fulfillment_status=FulfillmentStatus.UNFULFILLED.value,
        return_status=ReturnStatus.NONE.value,
        discount_total_minor=0,
        shipping_total_minor=0,
        tax_total_minor=0,
        **{
            name: bindparam(name)
            for name in (
                "cart_id",
                "customer_id",
                "email",
                "currency",
                "items_count",
                "subtotal_minor",
                "total_minor",
                "placed_at",
            )
        },
    )
    .returning(Order.id)
)
_NUMBER = (
    update(Order)
    .where(Order.id == bindparam("added_id"))
    .values(number=bindparam("new_number"))
    .returning(*Order.__table__.columns)
)
_LINES = func.json_each(bindparam("lines", type_=JSON)).table_valued("key", "value")
_AGREED = ("product_id", "variant_id", "sku", "product_name", "unit_price_minor", "quantity")
_ADD_LINES = (
    insert(OrderLine)
    .from_select(
        ("order_id", "position", *_AGREED, "total_minor", "fulfilled", "delivered", "returned", "canceled"),
        select(
            bindparam("order_id", type_=BigInteger),
            cast(_LINES.c.key, BigInteger),
            *(_agreed(name, OrderLine.__table__.columns[name].type) for name in _AGREED),
            _agreed("unit_price_minor", BigInteger()) * _agreed("quantity", BigInteger()),
            *(literal(0) for _counter in range(4)),
        ),
    )
    .returning(*OrderLine.__table__.columns)
)
_ADD_EVENT = insert(OrderEvent).values(
    {name: bindparam(name) for name in ("order_id", "kind", "customer_id", "created_at")}
)
