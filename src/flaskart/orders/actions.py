"""What happens to an order once it is agreed."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from flaskart.inventory import actions as inventory
from flaskart.kit import clock
from flaskart.kit.actor import Actor
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
) -> Order:
    """Write down an order with copies of all it agrees on. Takes no stock."""
    now = clock.now()
    totals = add_up((line.unit_price_minor, line.quantity) for line in lines)
    order = Order(
        cart_id=cart_id,
        customer_id=actor.customer_id,
        email=email,
        currency=currency,
        status=OrderStatus.PLACED,
        payment_status=PaymentStatus.NONE,
        fulfillment_status=FulfillmentStatus.UNFULFILLED,
        return_status=ReturnStatus.NONE,
        items_count=sum(line.quantity for line in lines),
        subtotal_minor=totals.subtotal_minor,
        discount_total_minor=0,
        shipping_total_minor=0,
        tax_total_minor=0,
        total_minor=totals.total_minor,
        placed_at=now,
    )
    session.add(order)
    session.flush()
    _record_lines(session, order, lines)
    order.number = str(FIRST_NUMBER + order.id)
    session.add(OrderEvent(order_id=order.id, kind=EventKind.PLACED, customer_id=actor.customer_id, created_at=now))
    session.flush()
    return order


def cancel_order(session: Session, actor: Actor, order_id: int) -> Order:
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
        event = OrderEvent(order_id=order.id, kind=EventKind.CANCELED, customer_id=actor.customer_id, created_at=now)
        session.add(event)
        session.flush()
        inventory.release(session, reference=stock_reference(order))
    return queries.get_order(session, actor, order_id)


def stock_reference(order: Order) -> str:
    """Return the name under which the stock ledger knows an order."""
    return f"order:{order.id}"


def _record_lines(session: Session, order: Order, lines: Sequence[Agreed]) -> None:
    """Write all lines in one statement. Adding them one by one as objects would send one each on SQLite."""
    rows = [
        {
            "order_id": order.id,
            "position": position,
            "product_id": line.product_id,
            "variant_id": line.variant_id,
            "sku": line.sku,
            "product_name": line.product_name,
            "unit_price_minor": line.unit_price_minor,
            "quantity": line.quantity,
            "total_minor": line.unit_price_minor * line.quantity,
            "fulfilled": 0,
            "delivered": 0,
            "returned": 0,
            "canceled": 0,
        }
        for position, line in enumerate(lines)
    ]
    written = session.scalars(insert(OrderLine).returning(OrderLine), rows)
    set_committed_value(order, "lines", sorted(written, key=lambda line: line.position))
