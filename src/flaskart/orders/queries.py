"""Named reads of the orders room."""

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from flaskart.kit.actor import Actor
from flaskart.kit.paging import Page, decode_cursor, page_of
from flaskart.orders.errors import OrderNotFound
from flaskart.orders.models import Order


def list_orders(session: Session, actor: Actor, *, limit: int, after: str | None) -> Page[Order]:
    """Return a page of the actor's orders, newest first, without their lines."""
    own = _own(actor).order_by(Order.id.desc()).limit(limit + 1)
    if after is not None:
        own = own.where(Order.id < decode_cursor(after))
    return page_of(session.scalars(own).all(), limit, key=lambda order: order.id)


def get_order(session: Session, actor: Actor, order_id: int) -> Order:
    """Return one of the actor's orders with its lines, in one statement.

    Raises:
        OrderNotFound: no such order, or somebody else's.
    """
    chosen = _own(actor).where(Order.id == order_id).options(joinedload(Order.lines))
    return _found(session.scalars(chosen).unique().one_or_none())


def lock_order(session: Session, actor: Actor, order_id: int) -> Order:
    """Return one of the actor's orders, without its lines, which nobody else changes until the transaction ends.

    Raises:
        OrderNotFound: no such order, or somebody else's.
    """
    return _found(session.scalars(_own(actor).where(Order.id == order_id).with_for_update()).one_or_none())


def _own(actor: Actor) -> Select[Order]:
    return select(Order).where(Order.customer_id == actor.customer_id)


def _found(order: Order | None) -> Order:
    if order is None:
        raise OrderNotFound
    return order
