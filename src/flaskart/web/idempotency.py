"""`Idempotency-Key` (IETF draft-ietf-httpapi-idempotency-key-header-07): a retried write has one effect.

The key is claimed, and its answer kept, in the transaction of the write itself, so that neither "done but not
recorded" nor "recorded but not done" can exist. Refused requests change nothing and keep nothing.
"""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from flask import Flask, Response, g, request
from sqlalchemy import ColumnElement, Index, LargeBinary, String, bindparam, delete, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapped, mapped_column

from flaskart.kit import clock
from flaskart.kit.db import Session
from flaskart.kit.errors import BadRequest, Conflict, InvalidInput
from flaskart.kit.outages import LOCK_NOT_AVAILABLE, sqlstate
from flaskart.kit.personal import Sections, records
from flaskart.kit.tables import PERSONAL, Id, Table
from flaskart.web.audit import transaction
from flaskart.web.http import incoming, shop
from flaskart.web.json import encode_canonical

HEADER = "Idempotency-Key"
MAX_KEY_LENGTH = 255
KEPT = timedelta(hours=48)
ABOUT = text("subject_id IS NOT NULL")


class IdempotencyKeyMalformed(BadRequest):
    code = "idempotency_key_malformed"
    message = f"An {HEADER} has 1 to {MAX_KEY_LENGTH} visible ASCII characters"


class IdempotencyKeyReused(InvalidInput):
    code = "idempotency_key_reused"
    message = f"This {HEADER} was used for another request"


class RequestInFlight(Conflict):
    code = "request_in_flight"
    message = f"A request with this {HEADER} is still being worked on"


class IdempotencyKey(Table):
    """A key of one caller, what it was used for, and what was answered; `subject_id` is the customer it is about.

    Who keeps answers about themselves is their caller. Staff's answers about a customer have a subject, and so has that
    of a registration, whose caller is nobody yet. What an API key was answered is about its owner, or about a customer.
    """

    __tablename__ = "idempotency_key"
    __table_args__ = (
        Index("uq_idempotency_key_caller_key", "caller", "key", unique=True),
        Index("ix_idempotency_key_created_at", "created_at"),
        Index("ix_idempotency_key_subject_id", "subject_id", sqlite_where=ABOUT, postgresql_where=ABOUT),
    )

    id: Mapped[Id]
    caller: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(MAX_KEY_LENGTH), info=PERSONAL)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32), info=PERSONAL)
    status: Mapped[int | None]
    body: Mapped[bytes | None] = mapped_column(LargeBinary, info=PERSONAL)
    subject_id: Mapped[int | None]
    created_at: Mapped[datetime]


class Replay(Exception):
    """The request was answered before; the transaction has nothing to do."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


@dataclass(frozen=True, slots=True)
class Claim:
    """A key held by the open transaction."""

    session: Session
    row_id: int
    key_owner: int | None

    def keep(self, status: int, body: bytes, about: int | None) -> None:
        about = self.key_owner if about is None else about
        answer = {"row_id": self.row_id, "answer_status": status, "answer_body": body, "about": about}
        self.session.send(_KEEP, answer)


@contextmanager
def writing() -> Iterator[Session]:
    """Open the request's write transaction, holding its `Idempotency-Key` if it has one.

    Raises:
        Replay: the key was used for the same request before.
        IdempotencyKeyReused: it was used for another one.
        RequestInFlight: another transaction holds it for too long.
    """
    key = request.headers.get(HEADER)
    try:
        with transaction() as session:
            g.claim = None if key is None else _claim(session, key)
            yield session
            if g.claim is not None:
                raise AssertionError("a write must answer with `show` inside its transaction")
    finally:
        g.claim = None


def register(app: Flask) -> None:
    app.register_error_handler(Replay, _answer_again)


def forget_expired_keys(session: Session) -> int:
    """Delete the keys that are past their 48 hours; return how many there were."""
    expired = IdempotencyKey.created_at < clock.now() - KEPT
    return len(session.execute(delete(IdempotencyKey).where(expired).returning(IdempotencyKey.id)).all())


def personal_data_of(session: Session, customer_id: int) -> Sections:
    """Return the keys kept of a person's requests; the answers are copies of what other rooms hand over."""
    return {
        "requests": records(session, IdempotencyKey, _about(customer_id), without=("caller", "fingerprint", "body"))
    }


def erase_person(session: Session, customer_id: int) -> None:
    """Delete the answers kept for and about a person. The request under way has none yet, and can be answered again."""
    session.execute(delete(IdempotencyKey).where(_about(customer_id), IdempotencyKey.status.is_not(None)))


def _about(customer_id: int) -> ColumnElement[bool]:
    return or_(IdempotencyKey.caller == _caller(customer_id), IdempotencyKey.subject_id == customer_id)


def _claim(session: Session, key: str) -> Claim:
    if not (1 <= len(key) <= MAX_KEY_LENGTH and key.isascii() and key.isprintable()):
        raise IdempotencyKeyMalformed
    caller = "anonymous"
    if "actor" in g:
        caller = _caller(g.actor.customer_id) if g.actor.key_id is None else f"key:{g.actor.key_id}"
    now = clock.now()
    claim = {
        "caller": caller,
        "key": key,
        "fingerprint": _fingerprint(shop().secret),
        "now": now,
        "expired": now - KEPT,
    }
    try:
        row_id = session.send(_CLAIM, claim).scalar_one_or_none()
    except OperationalError as waited:
        if sqlstate(waited) == LOCK_NOT_AVAILABLE:
            raise RequestInFlight from waited
        raise
    if row_id is not None:
        return Claim(session, row_id, g.actor.customer_id if caller.startswith("key:") else None)
    raise _used(session, caller, key)


def _caller(customer_id: int) -> str:
    return f"customer:{customer_id}"


def _used(session: Session, caller: str, key: str) -> Exception:
    row = session.scalars(
        select(IdempotencyKey).where(IdempotencyKey.caller == caller, IdempotencyKey.key == key)
    ).one()
    # A rotated secret makes no other request of a replay.
    if row.fingerprint not in [_fingerprint(secret) for secret in (shop().secret, *shop().old_secrets)]:
        return IdempotencyKeyReused()
    if row.status is None or row.body is None:
        return RequestInFlight()
    return Replay(row.status, row.body)


def _fingerprint(secret: bytes) -> bytes:
    # Keyed, since a body may hold a password, which a plain hash would let anyone try to guess.
    parts = [request.method.encode(), request.full_path.encode(), encode_canonical(incoming().parsed_body)]
    return hmac.digest(secret, b"\0".join(parts), "sha256")


def _answer_again(replay: Replay) -> Response:
    headers = {"Idempotency-Replayed": "true"}
    return Response(replay.body, HTTPStatus(replay.status), headers, content_type="application/json")


# Put together once: building them takes longer than running them. PostgreSQL's INSERT knows SQLite's dialect, too.
_CLAIM = (
    insert(IdempotencyKey)
    .values(
        caller=bindparam("caller"),
        key=bindparam("key"),
        fingerprint=bindparam("fingerprint"),
        created_at=bindparam("now"),
    )
    .on_conflict_do_update(
        index_elements=["caller", "key"],
        set_={
            "fingerprint": bindparam("fingerprint"),
            "created_at": bindparam("now"),
            "status": None,
            "body": None,
            "subject_id": None,
        },
        where=IdempotencyKey.created_at < bindparam("expired"),
    )
    .returning(IdempotencyKey.id)
)
_KEEP = (
    update(IdempotencyKey)
    .where(IdempotencyKey.id == bindparam("row_id"))
    .values(status=bindparam("answer_status"), body=bindparam("answer_body"), subject_id=bindparam("about"))
)
