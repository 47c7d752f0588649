"""Named reads of the orders room."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, Row, bindparam, select

from flaskart.kit.actor import Actor
from flaskart.kit.db import Session
from flaskart.kit.paging import MAX_ID, Page, decode_cursor, page_of
from flaskart.kit.personal import Sections, records
from flaskart.orders.errors import OrderNotFound
from flaskart.orders.models import Order, OrderEvent, OrderLine

# The columns of `Order` and of `OrderLine`, by their names.
OrderRow = Row[*tuple[Any, ...]]
LineRow = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class OrderInFull:
    order: OrderRow
    lines: Sequence[LineRow]


def list_orders(session: Session, actor: Actor, *, limit: int, after: str | None) -> Page[OrderRow]:
    """Return a page of the actor's orders, newest first, without their lines."""
    before = MAX_ID if after is None else decode_cursor(after)
    rows = session.send(_PAGE, {"customer_id": actor.customer_id, "before": before, "rows": limit + 1}).all()
    return page_of(rows, limit, key=lambda order: order.id)


def get_order(session: Session, actor: Actor, order_id: int) -> OrderInFull:
    """Return one of the actor's orders with its lines.

    Raises:
        OrderNotFound: no such order, or somebody else's.
    """
    order = session.send(_ORDER, {"customer_id": actor.customer_id, "order_id": order_id}).one_or_none()
    if order is None:
        raise OrderNotFound
    return OrderInFull(order, session.send(_LINES, {"order_id": order_id}).all())


def lock_order(session: Session, actor: Actor, order_id: int) -> Order:
    """Return one of the actor's orders, which nobody else changes until the transaction ends.

    Raises:
        OrderNotFound: no such order, or somebody else's.
    """
    own = select(Order).where(Order.customer_id == actor.customer_id, Order.id == order_id)
    order = session.scalars(own.with_for_update()).one_or_none()
    if order is None:
        raise OrderNotFound
    return order


def personal_data_of(session: Session, customer_id: int) -> Sections:
    """Return a person's orders with their lines and what happened to them."""
    own = Order.customer_id == customer_id
    return {"orders": records(session, Order, own, lines=OrderLine.order_id, events=OrderEvent.order_id)}


# Put together once: building them takes longer than running them.
_OWN = select(*Order.__table__.columns).where(Order.customer_id == bindparam("customer_id"))
_PAGE = _OWN.where(Order.id < bindparam("before")).order_by(Order.id.desc()).limit(bindparam("rows", type_=Integer))
_ORDER = _OWN.where(Order.id == bindparam("order_id"))
_LINES = (
    select(*OrderLine.__table__.columns).where(OrderLine.order_id == bindparam("order_id")).order_by(OrderLine.position)
)
