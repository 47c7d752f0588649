"""Named reads of the audit log."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, select

from flaskart.accounts.models import Customer
from flaskart.audit.errors import AuditEntryNotFound
from flaskart.kit.audit import ActorKind, AuditEntry, moment
from flaskart.kit.db import Session
from flaskart.kit.paging import Page, decode_cursor, page_of

# The columns of `AuditEntry`, and `actor_name`: the actor's name by now, None for who has none or was erased.
EntryRow = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries are wanted; None asks for any. `since` is included, `until` is not."""

    actor_kind: ActorKind | None = None
    actor_id: int | None = None
    action: str | None = None
    subject_kind: str | None = None
    subject_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


def list_entries(session: Session, wanted: Filter, *, limit: int, after: str | None) -> Page[EntryRow]:
    """Return a page of the entries that are wanted, newest first."""
    page = _named_entries().order_by(AuditEntry.id.desc()).limit(limit + 1)
    for column, value in (
        (AuditEntry.actor_kind, wanted.actor_kind),
        (AuditEntry.actor_id, wanted.actor_id),
        (AuditEntry.action, wanted.action),
        (AuditEntry.subject_kind, wanted.subject_kind),
        (AuditEntry.subject_id, wanted.subject_id),
    ):
        if value is not None:
            page = page.where(column == value)
    if wanted.since is not None:
        page = page.where(AuditEntry.at >= moment(wanted.since))
    if wanted.until is not None:
        page = page.where(AuditEntry.at < moment(wanted.until))
    if after is not None:
        page = page.where(AuditEntry.id < decode_cursor(after))
    return page_of(session.execute(page).all(), limit, key=lambda entry: entry.id)


def get_entry(session: Session, entry_id: int) -> EntryRow:
    """Return one entry.

    Raises:
        AuditEntryNotFound: no such entry.
    """
    entry = session.execute(_named_entries().where(AuditEntry.id == entry_id)).one_or_none()
    if entry is None:
        raise AuditEntryNotFound
    return entry


def _named_entries() -> Select[*tuple[Any, ...]]:
    is_actor = and_(
        AuditEntry.actor_kind == ActorKind.CUSTOMER, Customer.id == AuditEntry.actor_id, Customer.erased_at.is_(None)
    )
    return select(*AuditEntry.__table__.columns, Customer.username.label("actor_name")).outerjoin(Customer, is_actor)
