"""Named reads for what the shop writes."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from flaskart.accounts.models import Customer, RefreshToken
from flaskart.kit.db import Session
from flaskart.orders.models import Order, OrderLine, OrderStatus
from flaskart.orders.queries import OrderInFull
from flaskart.privacy.models import Export


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody with an account. `pending_email` is an address that they have yet to confirm."""

    username: str
    email: str
    pending_email: str | None
    is_verified: bool


def find_recipient(session: Session, customer_id: int) -> Recipient | None:
    """Return whom to write to; None once the account is erased."""
    columns = (Customer.username, Customer.email, Customer.pending_email, Customer.email_verified_at.is_not(None))
    row = session.execute(
        select(*columns).where(Customer.id == customer_id, Customer.erased_at.is_(None))
    ).one_or_none()
    return None if row is None else Recipient(*row)


def find_signed_in_at(session: Session, session_id: str) -> datetime | None:
    """Return when a sign-in began; None once it is so long ago that it is forgotten."""
    return session.scalar(select(func.min(RefreshToken.created_at)).where(RefreshToken.family == session_id))


def find_placed_order(session: Session, order_id: int) -> OrderInFull | None:
    """Return an order with its lines; None once it is canceled, or whose it was is erased."""
    order = session.execute(
        select(*Order.__table__.columns)
        .join(Customer, Customer.id == Order.customer_id)
        .where(Order.id == order_id, Order.status == OrderStatus.PLACED, Customer.erased_at.is_(None))
    ).one_or_none()
    if order is None:
        return None
    lines = select(*OrderLine.__table__.columns).where(OrderLine.order_id == order_id).order_by(OrderLine.position)
    return OrderInFull(order, session.execute(lines).all())


def get_export(session: Session, export_id: int) -> tuple[int, datetime]:
    """Return whose an export is, and when it expires."""
    owned = select(Export.customer_id, Export.expires_at).where(Export.id == export_id)
    customer_id, expires_at = session.execute(owned).one()
    return customer_id, expires_at
