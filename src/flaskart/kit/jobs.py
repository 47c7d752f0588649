"""Work for later: a row that is written in the transaction it follows from, so that both happen or neither does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Index,
    Row,
    Select,
    String,
    and_,
    bindparam,
    case,
    cast,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from flaskart.kit.clock import DatabaseTime
from flaskart.kit.db import Database, Session
from flaskart.kit.tables import PERSONAL, Id, Table, UTCDateTime

MAX_ERROR_LENGTH = 500
OVERDUE_SECONDS = 3_600
ALIVE, DEAD, PERIODIC = text("parked_at IS NULL"), text("parked_at IS NOT NULL"), text("period_seconds IS NOT NULL")
Payload = Mapping[str, Any]
# Given a session, a job is done in the transaction that ends it, so once. Given a database it owns its transactions
# and may talk to the outside: it is done at least once, and has to bear being repeated.
Handler = Callable[[Session, Payload], None] | Callable[[Database, Payload], None]


class Priority(IntEnum):
    """What goes first when both are due: the smaller number."""

    HIGH = 1
    NORMAL = 2
    LOW = 3


class JobState(StrEnum):
    """`dead`: given up; `running`: a worker holds it; `due`: it waits for a worker; `waiting`: for its time."""

    DEAD = "dead"
    RUNNING = "running"
    DUE = "due"
    WAITING = "waiting"


class Job(Table):
    """Something the worker will do: a name, and what it is about. No secrets and no rows, but their ids.

    A job that is done is deleted, a periodic one is due again a period later. `attempts` counts those begun.
    """

    __tablename__ = "job"
    __table_args__ = (
        Index("ix_job_priority_run_at", "priority", "run_at", sqlite_where=ALIVE, postgresql_where=ALIVE),
        Index("ix_job_run_at", "run_at", sqlite_where=ALIVE, postgresql_where=ALIVE),
        Index("ix_job_parked_at", "parked_at", sqlite_where=DEAD, postgresql_where=DEAD),
        Index("uq_job_periodic_name", "name", unique=True, sqlite_where=PERIODIC, postgresql_where=PERIODIC),
    )

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(100))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON, info=PERSONAL)
    priority: Mapped[int]
    period_seconds: Mapped[int | None]
    run_at: Mapped[datetime]
    attempts: Mapped[int]
    leased_by: Mapped[str | None] = mapped_column(String(100))
    leased_until: Mapped[datetime | None]
    parked_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(String(MAX_ERROR_LENGTH), info=PERSONAL)
    created_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Queue:
    """How the queue is: for how long the oldest job that is due has waited for a worker, and how many are dead."""

    lag_seconds: float
    dead: int


def enqueue(
    session: Session,
    name: str,
    payload: Payload,
    *,
    run_at: datetime | None = None,
    priority: Priority = Priority.NORMAL,
) -> None:
    """Have the worker do something after the commit, at `run_at` or as soon as it can. One statement."""
    session.send(_ENQUEUE, {"job_name": name, "about": payload, "not_before": run_at, "urgency": int(priority)})


def cancel(session: Session, member: str, ids: Sequence[int] | Select[int], *, prefix: str = "") -> None:
    """Delete the jobs, of names that begin so, whose payload has one of the ids as this member."""
    about = cast(Job.payload[member].as_string(), BigInteger).in_(ids)
    session.execute(delete(Job).where(Job.name.startswith(prefix, autoescape=True), about))


def see_queue(session: Session) -> Queue:
    """Return how the queue is. One statement, which the indexes answer."""
    now, oldest_due, dead = session.send(_SEE_QUEUE).one()
    return Queue(max(0.0, (now - oldest_due).total_seconds()) if oldest_due else 0.0, dead)


def list_jobs(session: Session, *, state: JobState | None, name: str | None, limit: int) -> Sequence[Row[Job, str]]:
    """Return jobs with the state they are in, the dead first, then in the order in which they are done."""
    listed = select(Job, _state()).order_by(Job.parked_at.is_(None), Job.priority, Job.run_at, Job.id).limit(limit)
    if state is not None:
        listed = listed.where(_state() == state)
    if name is not None:
        listed = listed.where(Job.name == name)
    return session.execute(listed).all()


def list_dead(session: Session) -> list[int]:
    return list(session.scalars(select(Job.id).where(Job.parked_at.is_not(None)).order_by(Job.id)))


def retry_job(session: Session, job_id: int) -> bool:
    """Make a job due now, as if it had never been tried; tell whether there is one that no worker holds."""
    anew = {"run_at": DatabaseTime(), "attempts": 0, "parked_at": None, "leased_by": None, "leased_until": None}
    retried = update(Job).where(Job.id == job_id, ~_is_held()).values(anew).returning(Job.id)
    return session.send(retried).first() is not None


def discard_job(session: Session, job_id: int) -> bool:
    """Delete a job; tell whether there is one that no worker holds."""
    discarded = delete(Job).where(Job.id == job_id, ~_is_held()).returning(Job.id)
    return session.send(discarded).first() is not None


def dead_jobs() -> Select[int]:
    """Select the jobs that were given up."""
    return select(Job.id).where(Job.parked_at.is_not(None))


def overdue_jobs() -> Select[int]:
    """Select the jobs that have waited for a worker, or for another one after theirs was lost, for over an hour."""
    lately = DatabaseTime(-OVERDUE_SECONDS)
    was_let_go = or_(Job.leased_until.is_(None), Job.leased_until < lately)
    return select(Job.id).where(Job.parked_at.is_(None), Job.run_at < lately, was_let_go)


def is_due() -> ColumnElement[bool]:
    """Tell of a job whether a worker may begin it."""
    return and_(Job.parked_at.is_(None), Job.run_at <= DatabaseTime(), ~_is_held())


def _is_held() -> ColumnElement[bool]:
    return and_(Job.leased_until.is_not(None), Job.leased_until > DatabaseTime())


def _state() -> ColumnElement[str]:
    return case(
        (Job.parked_at.is_not(None), JobState.DEAD),
        (_is_held(), JobState.RUNNING),
        (Job.run_at <= DatabaseTime(), JobState.DUE),
        else_=JobState.WAITING,
    )


# Put together once: building them takes longer than running them.
_ENQUEUE = insert(Job).values(
    name=bindparam("job_name"),
    payload=bindparam("about"),
    priority=bindparam("urgency"),
    attempts=0,
    run_at=func.coalesce(bindparam("not_before", type_=UTCDateTime), DatabaseTime()),
    created_at=DatabaseTime(),
)
_SEE_QUEUE = select(
    DatabaseTime(),
    select(func.min(Job.run_at)).where(is_due()).scalar_subquery(),
    select(func.count()).select_from(Job).where(Job.parked_at.is_not(None)).scalar_subquery(),
)
