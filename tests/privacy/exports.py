"""Asking for an export and getting it, as the worker and the mail would have it."""

from datetime import timedelta

from sqlalchemy import select

from flaskart.kit.db import Database
from flaskart.privacy.actions import issue_export_token, make_export
from flaskart.privacy.models import Export
from tests.callers import Answer, Caller, Make


def asked_for(caller: Caller) -> int:
    """Return the id of an export that was asked for."""
    answer = caller.post("/account/export")
    assert answer.status == 202
    return int(answer.json["export"]["id"])


def link_to(make: Make, export_id: int) -> str:
    """Return the path that a mail would bring."""
    with make.db.write() as session:
        return f"/account/exports/{issue_export_token(session, export_id)}"


def let_pass(db: Database, time: timedelta) -> None:
    """Make all exports older."""
    with db.write() as session:
        for export in session.scalars(select(Export)):
            export.created_at -= time
            export.expires_at -= time


def exported(make: Make, caller: Caller) -> Answer:
    """Return what somebody downloads who asked for an export."""
    export_id = asked_for(caller)
    make_export(make.db, export_id)
    return make.anyone().get(link_to(make, export_id))
