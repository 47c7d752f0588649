"""The audit log: who changed what, in a chain from which nothing can be taken, and nothing altered, unnoticed.

An entry is written in the transaction of the change it tells of, so that both happen or neither does.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

import msgspec
from sqlalchemy import CheckConstraint, Index, Row, String, Text, bindparam, insert, inspect, select, update
from sqlalchemy.orm import Mapped, mapped_column

from flaskart.kit import clock
from flaskart.kit.actor import Actor
from flaskart.kit.db import Session
from flaskart.kit.tables import Id, Table

BATCH = 1_000
START = "0" * 64  # what the first entry follows
Fields = Mapping[str, object]
_json = msgspec.json.Encoder(order="sorted")


class ActorKind(StrEnum):
    CUSTOMER = "customer"
    KEY = "key"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class System:
    """The shop itself, on behalf of whoever has its machine: the command line."""


SYSTEM: Final = System()


class AuditEntry(Table):
    """One change. Ids count from 1 without gaps. What is hashed is what is stored: time and JSON are text."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        CheckConstraint("actor_kind IN ('customer', 'key', 'system')", name="actor_kind"),
        Index("ix_audit_entry_actor_kind_actor_id", "actor_kind", "actor_id"),
        Index("ix_audit_entry_subject_kind_subject_id", "subject_kind", "subject_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(String(27), index=True)
    actor_kind: Mapped[str] = mapped_column(String(20))
    actor_id: Mapped[int | None]
    action: Mapped[str] = mapped_column(String(60), index=True)
    subject_kind: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[int | None]
    before: Mapped[str | None] = mapped_column(Text)
    after: Mapped[str | None] = mapped_column(Text)
    withheld: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(String(32))
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Table):
    """One row: how many entries there are, and the hash of the newest. Who adds one holds it until the commit."""

    __tablename__ = "audit_head"

    id: Mapped[Id]
    entries: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of thing that changes, and which of its fields may be `shown`.

    Of all others, secrets and what is personal among them, no value is kept: an entry says only that they changed.
    """

    name: str
    shown: frozenset[str]


@dataclass(frozen=True, slots=True)
class Subject:
    """What was changed. `id` is None where there is only one of its kind."""

    kind: Kind
    id: int | None = None


@dataclass(slots=True)
class Journal:
    """What one transaction adds to the log when it is about to commit, and in which request."""

    request_id: str | None = None
    is_told: bool = False
    entries: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain is broken, and how."""

    entry_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many entries are as they were written, from the first one on, and the hash of the last of them."""

    entries: int
    head: str
    broken: Break | None = None


def record(
    session: Session,
    actor: Actor | System,
    action: str,
    subject: Subject,
    *,
    before: Fields | None = None,
    after: Fields | None = None,
) -> None:
    """Put into the log that somebody did something, named like `product.updated`.

    Of an edit, `before` and `after` may be all fields: those that changed are kept, and nothing is written if none did.
    Of what was added there is no `before`, of what was removed no `after`.
    """
    journal = journal_of(session)
    journal.is_told = True
    if before is not None and after is not None:
        changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        if not changed:
            return
    else:
        changed = {name for name, value in (before or after or {}).items() if value is not None}
    shown = changed & subject.kind.shown
    withheld = sorted(changed - shown)
    kind, actor_id = _named(actor)
    if not journal.entries:
        session.before_commit.append(_append)
    journal.entries.append(
        {
            "actor_kind": kind.value,
            "actor_id": actor_id,
            "action": action,
            "subject_kind": subject.kind.name,
            "subject_id": subject.id,
            "before": _kept(before, shown),
            "after": _kept(after, shown),
            "withheld": _json.encode(withheld).decode() if withheld else None,
            "request_id": journal.request_id,
        }
    )


def journal_of(session: Session) -> Journal:
    """Return what the transaction has recorded so far."""
    journal: Journal = session.info.setdefault("audit", Journal())
    return journal


def verify(
    session: Session, report: Callable[[int, int], None] | None = None, *, expected_head: str | None = None
) -> Verdict:
    """Follow the chain from its start. `report` is told how much is done, and of how much.

    Entries that are added meanwhile do not disturb. Who has database and time can make the whole chain anew:
    `expected_head`, noted where they cannot write, must be the hash of one of its entries.
    """
    before = session.send(_HEAD).one_or_none()
    if before is None:
        return Verdict(0, START, Break(0, "the head is gone"))
    number, newest, at_head = 0, START, START
    is_expected = expected_head in (None, START)
    for batch in _batches(session):
        for entry in batch:
            flaw = _flaw(entry, number + 1, newest)
            if flaw:
                return Verdict(number, newest, Break(number + 1, f"entry {number + 1} {flaw}"))
            number, newest = number + 1, entry["hash"]
            at_head = newest if number == before.entries else at_head
            is_expected = is_expected or newest == expected_head
        if report:
            report(number, max(number, before.entries))
    after = session.send(_HEAD).one()
    return Verdict(number, newest, _flaw_at_end(number, at_head, before, after.entries, is_expected))


def fields_of(row: Table) -> Fields:
    """Return the fields of a row as they are now."""
    return {attribute.key: getattr(row, attribute.key) for attribute in inspect(row).mapper.column_attrs}


def moment(at: datetime) -> str:
    """Return a time as entries have it: RFC 3339 in UTC, all of one length, so that they sort as text."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def hash_of(entry: Mapping[str, Any]) -> str:
    """Return the hash of an entry: SHA-256 of the JSON of all its columns but this one.

    Empty ones are left out, so that an entry keeps its hash when a later version adds a column.
    """
    hashed = {name: value for name, value in entry.items() if value is not None and name != "hash"}
    return hashlib.sha256(_json.encode(hashed)).hexdigest()


def _append(session: Session) -> None:
    """Write the journal. The head is locked from here to the commit, which comes next."""
    row_id, number, newest = session.send(_LOCK_HEAD).one()
    at = moment(clock.now())
    entries = []
    for fields in journal_of(session).entries:
        number += 1
        entry = {**fields, "id": number, "at": at, "previous_hash": newest}
        newest = entry["hash"] = hash_of(entry)
        entries.append(entry)
    session.execute(insert(AuditEntry), entries)
    session.send(_MOVE_HEAD, {"row_id": row_id, "number": number, "newest": newest})


def _named(actor: Actor | System) -> tuple[ActorKind, int | None]:
    """Return only ids: a name is personal, and could not be erased here."""
    if isinstance(actor, System):
        return ActorKind.SYSTEM, None
    if actor.key_id is not None:
        return ActorKind.KEY, actor.key_id
    return ActorKind.CUSTOMER, actor.customer_id


def _kept(fields: Fields | None, shown: set[str]) -> str | None:
    if fields is None:
        return None
    return _json.encode({name: fields[name] for name in shown if name in fields}).decode()


def _batches(session: Session) -> Iterator[Sequence[dict[str, Any]]]:
    """Yield the entries by their number, a batch at a time, of which one is in memory."""
    page = select(*AuditEntry.__table__.columns).order_by(AuditEntry.id).limit(BATCH)
    rows = session.execute(page).all()
    while rows:
        yield [row._asdict() for row in rows]
        rows = session.execute(page.where(AuditEntry.id > rows[-1].id)).all()


def _flaw(entry: Mapping[str, Any], number: int, newest: str) -> str | None:
    """Return what is wrong with the entry that should have this number and follow the hash `newest`."""
    if entry["id"] != number:
        return "is missing" if entry["id"] > number else "has a number before it that no entry can have"
    if entry["previous_hash"] != newest:
        return "does not follow from the one before it"
    if entry["hash"] != hash_of(entry):
        return "is not as it was written"
    return None


def _flaw_at_end(
    number: int, at_head: str, before: Row[*tuple[Any, ...]], entries_by_now: int, is_expected: bool
) -> Break | None:
    """Compare the chain with its head, as that was before the walk and after it: entries only ever come in between."""
    if number < before.entries:
        return Break(number + 1, f"entry {number + 1} is missing, and all after it")
    if number > entries_by_now:
        return Break(entries_by_now + 1, f"entry {entries_by_now + 1} came in past the head")
    if at_head != before.hash:
        return Break(before.entries, f"entry {before.entries} is not the one that the head names")
    if not is_expected:
        return Break(number, "the expected head was never the head of this log")
    return None


# Put together once: building them takes longer than running them.
_HEAD = select(AuditHead.id, AuditHead.entries, AuditHead.hash)
_LOCK_HEAD = _HEAD.with_for_update()
_MOVE_HEAD = (
    update(AuditHead)
    .where(AuditHead.id == bindparam("row_id"))
    .values(entries=bindparam("number"), hash=bindparam("newest"))
)
