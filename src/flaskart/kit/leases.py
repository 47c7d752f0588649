"""How a worker holds a job: by a lease, which ends by itself when the worker does not renew it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, bindparam, delete, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from flaskart.kit.clock import DatabaseTime
from flaskart.kit.db import Session
from flaskart.kit.jobs import PERIODIC, Job, Payload, Priority, is_due


class LeaseLost(Exception):
    """Somebody else has the job by now, or it is done."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt at a job by one worker. Whoever claims it later has another number of attempts."""

    job_id: int
    name: str
    payload: Payload
    attempts: int
    period_seconds: int | None
    worker: str


def is_any_due(session: Session) -> bool:
    """Tell whether there is something to do: what an idle worker asks, a read of one index entry."""
    return session.send(_IS_ANY_DUE).first() is not None


def claim_job(session: Session, worker: str, lease: timedelta) -> Claim | None:
    """Take the most urgent job that is due, if there is one: it is the worker's until the lease ends.

    On PostgreSQL a job that another worker is just taking is passed over; on SQLite workers take turns.
    """
    most_urgent = (
        select(Job.id)
        .where(is_due())
        .order_by(Job.priority, Job.run_at, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    held = {"leased_by": worker, "leased_until": DatabaseTime(lease.total_seconds()), "attempts": Job.attempts + 1}
    taken = update(Job).where(Job.id == most_urgent).values(held)
    row = session.send(taken.returning(Job.id, Job.name, Job.payload, Job.attempts, Job.period_seconds)).first()
    return None if row is None else Claim(row[0], row[1], row[2], row[3], row[4], worker)


def extend_lease(session: Session, claim: Claim, lease: timedelta) -> None:
    """Hold a job for longer.

    Raises:
        LeaseLost: it is somebody else's by now, or done.
    """
    _change(session, claim, leased_until=DatabaseTime(lease.total_seconds()))


def end_job(session: Session, claim: Claim) -> None:
    """Say that a job is done. In the transaction of its effect, this makes both happen once or not at all.

    Raises:
        LeaseLost: it is somebody else's by now, or done.
    """
    if claim.period_seconds is not None:
        _let_go(session, claim, run_at=DatabaseTime(claim.period_seconds), attempts=0, last_error=None)
    elif session.send(delete(Job).where(_is_held_by(claim)).returning(Job.id)).first() is None:
        raise LeaseLost


def put_off(session: Session, claim: Claim, error: str, *, seconds: float) -> None:
    """Let go of a job that failed, to be tried again in so many seconds.

    Raises:
        LeaseLost: it is somebody else's by now, or done.
    """
    _let_go(session, claim, run_at=DatabaseTime(seconds), last_error=error)


def park(session: Session, claim: Claim, error: str) -> None:
    """Give a job up: it stays, dead, until somebody retries or discards it.

    Raises:
        LeaseLost: it is somebody else's by now, or done.
    """
    _let_go(session, claim, parked_at=DatabaseTime(), last_error=error)


def keep_periodic(session: Session, periods: Mapping[str, timedelta]) -> None:
    """See that each periodic job has its one row. A new one is due at once; one that is there keeps its time."""
    for name, period in periods.items():
        session.send(_KEEP_PERIODIC, {"job_name": name, "about": {}, "seconds": int(period.total_seconds())})


def _let_go(session: Session, claim: Claim, **values: object) -> None:
    _change(session, claim, leased_by=None, leased_until=None, **values)


def _change(session: Session, claim: Claim, **values: object) -> None:
    changed = update(Job).where(_is_held_by(claim)).values(values).returning(Job.id)
    if session.send(changed).first() is None:
        raise LeaseLost


def _is_held_by(claim: Claim) -> ColumnElement[bool]:
    return and_(Job.id == claim.job_id, Job.leased_by == claim.worker, Job.attempts == claim.attempts)


# Put together once: building them takes longer than running them. PostgreSQL's INSERT knows SQLite's dialect, too.
_IS_ANY_DUE = select(literal(1)).select_from(Job).where(is_due()).limit(1)
_KEEP_PERIODIC = (
    insert(Job)
    .values(
        name=bindparam("job_name"),
        payload=bindparam("about"),
        priority=int(Priority.LOW),
        period_seconds=bindparam("seconds"),
        run_at=DatabaseTime(),
        attempts=0,
        created_at=DatabaseTime(),
    )
    .on_conflict_do_update(index_elements=["name"], index_where=PERIODIC, set_={"period_seconds": bindparam("seconds")})
)
