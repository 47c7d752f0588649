"""One's own sign-ins: what is signed in, and ending it."""

from flask import Response

from flaskart.accounts import actions, queries
from flaskart.accounts.errors import AccountNotFound, SignInNotFound
from flaskart.accounts.schemas import Done, SessionList, SessionPath
from flaskart.kit.actor import Actor
from flaskart.web.auth import person
from flaskart.web.fields import PageQuery
from flaskart.web.http import db, show, show_page
from flaskart.web.idempotency import writing
from flaskart.web.openapi import answers, door

api = door("sessions", __name__, "/account/sessions", "account", "One's own account.")


@api.get("", responses=answers(SessionList))
@person
def list_sessions(actor: Actor, query: PageQuery) -> Response:
    """List one's sign-ins that are alive, newest first."""
    with db().read() as session:
        page = queries.list_sign_ins(session, actor, limit=query.limit, after=query.after)
    return show_page(SessionList.of(page, actor), page)


@api.delete("", responses=answers(Done, AccountNotFound))
@person
def end_other_sessions(actor: Actor) -> Response:
    """End every sign-in but the one that asks."""
    with writing() as session:
        actions.end_other_sign_ins(session, actor)
        return show(Done(msg="Other sessions ended"))


@api.delete("/<session_id>", responses=answers(Done, SignInNotFound))
@person
def end_session(actor: Actor, path: SessionPath) -> Response:
    """End one of one's sign-ins; all its tokens stop working at once."""
    with writing() as session:
        actions.end_sign_in(session, actor, path.session_id)
        return show(Done(msg="Session ended"))
