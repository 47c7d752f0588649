"""The staff's door to API keys. Answers that show a secret are not kept under an `Idempotency-Key`."""

from collections.abc import Collection

from flask import Response

from flaskart.accounts import actions, queries
from flaskart.accounts.errors import KeyNotFound, KeyRevoked, MoreThanHeld, OperationUnknown
from flaskart.accounts.schemas import (
    KeyChange,
    KeyChanged,
    KeyList,
    KeyOut,
    KeyPath,
    KeyRotation,
    KeySecret,
    KeyShown,
    NewApiKey,
)
from flaskart.kit.actor import Actor, Permission
from flaskart.web.audit import transaction
from flaskart.web.auth import permitted
from flaskart.web.fields import PageQuery
from flaskart.web.http import db, shop, show, show_page
from flaskart.web.idempotency import writing
from flaskart.web.openapi import WITHOUT_IDEMPOTENCY, answers, door, operation_ids

api = door("keys", __name__, "/admin/keys", "keys", "API keys: how machines act for staff.")


@api.get("", responses=answers(KeyList))
@permitted(Permission.KEYS_WRITE)
def list_keys(actor: Actor, query: PageQuery) -> Response:
    """List one's keys, the oldest first; who may change staff sees everybody's."""
    with db().read() as session:
        page = queries.list_keys(session, actor, limit=query.limit, after=query.after)
    return show_page(KeyList.of(page), page)


@api.post(
    "",
    responses=answers(KeySecret, MoreThanHeld, OperationUnknown, status=201),
    openapi_extensions=WITHOUT_IDEMPOTENCY,
)
@permitted(Permission.KEYS_WRITE)
def create_key(actor: Actor, body: NewApiKey) -> Response:
    """Make a key that acts for oneself with some of one's permissions. Its secret is shown this once.

    What the key may do is never more than its owner may do at that moment.
    """
    _require_known(body.operations)
    cap = body.cap(shop().settings.currency)
    with transaction() as session:
        made = actions.create_key(
            session,
            actor,
            name=body.name,
            scopes=frozenset(body.scopes),
            operations=body.operations,
            valid_days=body.expires_in_days,
            cap=cap,
        )
    return show(KeySecret(msg="API key added", secret=made.secret, key=KeyOut.of(made.key)), 201)


@api.get("/<id:key_id>", responses=answers(KeyShown, KeyNotFound))
@permitted(Permission.KEYS_WRITE)
def view_key(actor: Actor, path: KeyPath) -> Response:
    """View one of one's keys."""
    with db().read() as session:
        return show(KeyShown(key=KeyOut.of(queries.get_key(session, actor, path.key_id))))


@api.patch("/<id:key_id>", responses=answers(KeyChanged, KeyNotFound, KeyRevoked, MoreThanHeld, OperationUnknown))
@permitted(Permission.KEYS_WRITE)
def edit_key(actor: Actor, path: KeyPath, body: KeyChange) -> Response:
    """Change what is given of one of one's own keys."""
    _require_known(body.operations)
    scopes = None if body.scopes is None else frozenset(body.scopes)
    cap = body.cap(shop().settings.currency)
    with writing() as session:
        key = actions.edit_key(
            session, actor, path.key_id, name=body.name, scopes=scopes, operations=body.operations, cap=cap
        )
        return show(KeyChanged(msg="API key updated", key=KeyOut.of(key)))


@api.delete("/<id:key_id>", responses=answers(KeyChanged, KeyNotFound))
@permitted(Permission.KEYS_WRITE)
def revoke_key(actor: Actor, path: KeyPath) -> Response:
    """End a key at once and for good; who may change staff can end anybody's. May be repeated."""
    with writing() as session:
        return show(KeyChanged(msg="API key revoked", key=KeyOut.of(actions.revoke_key(session, actor, path.key_id))))


@api.post(
    "/<id:key_id>/rotate",
    responses=answers(KeySecret, KeyNotFound, KeyRevoked),
    openapi_extensions=WITHOUT_IDEMPOTENCY,
)
@permitted(Permission.KEYS_WRITE)
def rotate_key(actor: Actor, path: KeyPath, body: KeyRotation) -> Response:
    """Give one of one's own keys another secret, shown this once. The one before works on for a while."""
    with transaction() as session:
        made = actions.rotate_key(session, actor, path.key_id, overlap_seconds=body.overlap_seconds)
    return show(KeySecret(msg="API key rotated", secret=made.secret, key=KeyOut.of(made.key)))


def _require_known(operations: Collection[str] | None) -> None:
    unknown = sorted(set(operations or ()) - operation_ids())
    if unknown:
        raise OperationUnknown(f"There is no operation {unknown[0]}", unknown=unknown)
