"""Is the process there, and can it do its work?"""

from typing import Literal

from flask import Response
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError

from flaskart.kit.errors import DatabaseUnavailable, Unavailable
from flaskart.kit.jobs import see_queue
from flaskart.kit.outages import outage
from flaskart.web.auth import anyone
from flaskart.web.http import db, shop, show
from flaskart.web.openapi import WITHOUT_DATABASE, answers, door


class NotMigrated(Unavailable):
    code = "not_migrated"
    message = "The database is not at this version's schema"


class Health(BaseModel):
    status: Literal["ok"]


class Jobs(BaseModel):
    """How the worker does: for how long the oldest job that is due has waited for it, and how many it gave up."""

    lag_seconds: float
    dead: int


class Readiness(Health):
    jobs: Jobs


api = door("health", __name__, "", "health", "For load balancers and monitors.")


@api.get("/healthz", responses=answers(Health), openapi_extensions=WITHOUT_DATABASE)
@anyone
def healthz() -> Response:
    """Tell that the process answers."""
    return show(Health(status="ok"))


@api.get("/readyz", responses=answers(Readiness, DatabaseUnavailable, NotMigrated))
@anyone
def readyz() -> Response:
    """Tell that the database is reachable and migrated, and how the jobs do.

    Neither dead jobs nor late ones make a shop unready: it sells without them.
    """
    try:
        with db().read() as session:
            revision = session.scalar(text("SELECT version_num FROM alembic_version"))
    except (OperationalError, ProgrammingError) as failure:
        if outage(failure):
            raise
        raise NotMigrated from failure
    if revision != shop().revision:
        raise NotMigrated
    with db().read() as session:
        queue = see_queue(session)
    return show(Readiness(status="ok", jobs=Jobs(lag_seconds=round(queue.lag_seconds, 3), dead=queue.dead)))
