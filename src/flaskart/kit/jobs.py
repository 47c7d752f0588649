"""Work for later: a row that is written in the transaction it follows from, so that both happen or neither does."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String, bindparam, insert
from sqlalchemy.orm import Mapped, mapped_column

from flaskart.kit import clock
from flaskart.kit.db import Session
from flaskart.kit.tables import Id, Table


class Job(Table):
    """Something the worker will do: a name, and what it is about. No secrets and no rows, but their ids."""

    __tablename__ = "job"
    __table_args__ = (Index("ix_job_run_at", "run_at"),)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(100))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    run_at: Mapped[datetime]
    created_at: Mapped[datetime]


def enqueue(session: Session, name: str, payload: Mapping[str, object], *, run_at: datetime | None = None) -> None:
    """Have the worker do something after the commit, at `run_at` or as soon as it can. One statement."""
    now = clock.now()
    session.send(_ENQUEUE, {"name": name, "payload": payload, "run_at": run_at or now, "now": now})


# Put together once: building it takes longer than running it.
_ENQUEUE = insert(Job).values(
    name=bindparam("name"), payload=bindparam("payload"), run_at=bindparam("run_at"), created_at=bindparam("now")
)
