"""Is the process there, and can it do its work?"""

from typing import Literal

from flask import Response
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError

from flaskart.kit.errors import DatabaseUnavailable, Unavailable
from flaskart.kit.outages import outage
from flaskart.web.auth import anyone
from flaskart.web.http import db, shop, show
from flaskart.web.openapi import WITHOUT_DATABASE, answers, door


class NotMigrated(Unavailable):
    code = "not_migrated"
    message = "The database is not at this version's schema"


class Health(BaseModel):
    status: Literal["ok"]


api = door("health", __name__, "", "health", "For load balancers and monitors.")


@api.get("/healthz", responses=answers(Health), openapi_extensions=WITHOUT_DATABASE)
@anyone
def healthz() -> Response:
    """Tell that the process answers."""
    return show(Health(status="ok"))


@api.get("/readyz", responses=answers(Health, DatabaseUnavailable, NotMigrated))
@anyone
def readyz() -> Response:
    """Tell that the database is reachable and migrated."""
    try:
        with db().read() as session:
            revision = session.scalar(text("SELECT version_num FROM alembic_version"))
    except (OperationalError, ProgrammingError) as failure:
        if outage(failure):
            raise
        raise NotMigrated from failure
    if revision != shop().revision:
        raise NotMigrated
    return show(Health(status="ok"))
