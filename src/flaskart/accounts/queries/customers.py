"""Accounts as staff look for them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, CompoundSelect, func, select

from flaskart.accounts.errors import (
    CustomerNotFound,
)
from flaskart.accounts.models import (
    Customer,
    CustomerState,
    SignInRecord,
    fold,
)
from flaskart.kit.actor import Role
from flaskart.kit.db import Session
from flaskart.kit.paging import MAX_ID, Page, decode_cursor, page_of


def lock_anybody(session: Session, customer_id: int) -> Customer:
    """Return anybody's account, which nobody else changes until the transaction ends.

    Raises:
        CustomerNotFound: no such id.
    """
    named = select(Customer).where(Customer.id == customer_id)
    return _known(session.scalars(named.with_for_update(key_share=True)).one_or_none())


def find_last_seen(session: Session, customer_id: int) -> datetime | None:
    """Return when somebody last signed in or went on with a sign-in, as long as that is kept."""
    newest = select(func.max(SignInRecord.last_used_at)).where(SignInRecord.customer_id == customer_id)
    return session.scalar(newest)


@dataclass(frozen=True, slots=True)
class CustomerFilter:
    """Which accounts are wanted; None does not matter. They were created at `since` or later, and before `until`."""

    begins_with: str | None = None
    state: CustomerState | None = None
    role: Role | None = None
    since: datetime | None = None
    until: datetime | None = None


def list_customers(session: Session, wanted: CustomerFilter, *, limit: int, after: str | None) -> Page[Customer]:
    """Return a page of accounts, the newest first."""
    before = MAX_ID if after is None else decode_cursor(after)
    earlier = select(Customer).where(Customer.id < before, *_conditions(wanted))
    newest = session.scalars(earlier.order_by(Customer.id.desc()).limit(limit + 1)).all()
    return page_of(newest, limit, key=lambda customer: customer.id)


def get_customer(session: Session, customer_id: int) -> Customer:
    """Return anybody's account, an erased one as well.

    Raises:
        CustomerNotFound: no such id.
    """
    return _known(session.get(Customer, customer_id))


def _conditions(wanted: CustomerFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.begins_with is not None:
        yield Customer.id.in_(_named(fold(wanted.begins_with)))
    if wanted.role is not None:
        yield Customer.role == wanted.role.value
    if wanted.since is not None:
        yield Customer.created_at >= wanted.since
    if wanted.until is not None:
        yield Customer.created_at < wanted.until
    if wanted.state is CustomerState.ERASED:
        yield Customer.erased_at.is_not(None)
    elif wanted.state is CustomerState.DISABLED:
        yield Customer.disabled_at.is_not(None) & Customer.erased_at.is_(None)
    elif wanted.state is CustomerState.ACTIVE:
        yield Customer.disabled_at.is_(None) & Customer.erased_at.is_(None)


def _named(prefix: str) -> CompoundSelect[int]:
    """Return whose username or e-mail address begins so. Each half is a range of its index, compared byte by byte."""
    end = prefix + LAST_CHARACTER
    by_username = select(Customer.id).where(Customer.username_folded >= prefix, Customer.username_folded < end)
    by_email = select(Customer.id).where(Customer.email_folded >= prefix, Customer.email_folded < end)
    return by_username.union_all(by_email)


def _known(customer: Customer | None) -> Customer:
    if customer is None:
        raise CustomerNotFound
    return customer


LAST_CHARACTER = "\U0010ffff"
