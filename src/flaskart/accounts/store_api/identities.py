"""The providers that one's own account can be signed in to with."""

from flask import Response

from flaskart.accounts import actions, queries
from flaskart.accounts.errors import (
    AccountNotFound,
    IdentityNotFound,
    IdentityTaken,
    LastWayIn,
    LinkNeedsVerifiedEmail,
)
from flaskart.accounts.schemas import (
    Done,
    FlowFinish,
    FlowStart,
    FlowStarted,
    IdentityLinked,
    IdentityList,
    IdentityOut,
    IdentityPath,
    ProviderPath,
)
from flaskart.accounts.store_api.oidc import FINISHING, STARTING, callback_of, providers, started
from flaskart.kit.actor import Actor
from flaskart.web.auth import person
from flaskart.web.http import db, show
from flaskart.web.idempotency import writing
from flaskart.web.openapi import WITHOUT_IDEMPOTENCY, answers, door

api = door("identities", __name__, "/account/identities", "account", "One's own account.")


@api.get("", responses=answers(IdentityList, AccountNotFound))
@person
def list_identities(actor: Actor) -> Response:
    """List the providers that are linked to one's account."""
    with db().read() as session:
        account = queries.get_account(session, actor)
        return show(IdentityList.of(account, queries.list_identities(session, account.id)))


@api.post(
    "/<provider>/start",
    responses=answers(FlowStarted, *STARTING, AccountNotFound, LinkNeedsVerifiedEmail),
    openapi_extensions=WITHOUT_IDEMPOTENCY,
)
@person
def start_linking(actor: Actor, path: ProviderPath, body: FlowStart) -> Response:
    """Start to link a provider to one's account; the way is that of signing in with it."""
    return show(started(path.provider, body, actor))


@api.post(
    "/<provider>/finish",
    responses=answers(IdentityLinked, *FINISHING, AccountNotFound, LinkNeedsVerifiedEmail, IdentityTaken),
    openapi_extensions=WITHOUT_IDEMPOTENCY,
)
@person
def finish_linking(actor: Actor, path: ProviderPath, body: FlowFinish) -> Response:
    """Finish to link a provider to one's account."""
    identity = actions.link_identity(db(), providers().client(path.provider), actor, callback_of(body))
    return show(IdentityLinked(msg="Provider linked", identity=IdentityOut.of(identity)))


@api.delete("/<id:identity_id>", responses=answers(Done, AccountNotFound, IdentityNotFound, LastWayIn))
@person
def unlink_identity(actor: Actor, path: IdentityPath) -> Response:
    """Remove a provider from one's account, unless there would be no way in left."""
    with writing() as session:
        actions.unlink_identity(session, actor, path.identity_id)
        return show(Done(msg="Provider removed"))
