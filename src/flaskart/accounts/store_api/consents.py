"""What one has agreed to."""

from flask import Response

from flaskart.accounts import actions, queries
from flaskart.accounts.errors import AccountNotFound
from flaskart.accounts.schemas import ConsentChange, ConsentList, ConsentOut, ConsentPath, ConsentRecorded
from flaskart.kit.actor import Actor
from flaskart.web.auth import person
from flaskart.web.http import db, show
from flaskart.web.idempotency import writing
from flaskart.web.openapi import answers, door

api = door("consents", __name__, "/account/consents", "account", "One's own account.")


@api.get("", responses=answers(ConsentList))
@person
def list_consents(actor: Actor) -> Response:
    """List what one agrees to: every purpose, and what one said last about it."""
    with db().read() as session:
        return show(ConsentList.of(queries.list_consents(session, actor)))


@api.put("/<purpose>", responses=answers(ConsentRecorded, AccountNotFound))
@person
def set_consent(actor: Actor, path: ConsentPath, body: ConsentChange) -> Response:
    """Agree to a purpose, or withdraw from it. Each change is kept, with its time."""
    with writing() as session:
        consent = actions.set_consent(session, actor, path.purpose, granted=body.granted)
        return show(ConsentRecorded(msg="Consent recorded", consent=ConsentOut.of(consent)))
