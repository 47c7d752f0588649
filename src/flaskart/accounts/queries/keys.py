"""API keys."""

from sqlalchemy import Select, select

from flaskart.accounts.errors import (
    KeyNotFound,
)
from flaskart.accounts.models import (
    ApiKey,
)
from flaskart.kit.actor import Actor, Permission
from flaskart.kit.db import Session
from flaskart.kit.paging import Page, decode_cursor, page_of


def list_keys(session: Session, actor: Actor, *, limit: int, after: str | None) -> Page[ApiKey]:
    """Return a page of the keys that the actor may see, the oldest first."""
    last_id = 0 if after is None else decode_cursor(after)
    keys = _visible_keys(actor).where(ApiKey.id > last_id).order_by(ApiKey.id).limit(limit + 1)
    return page_of(session.scalars(keys).all(), limit, key=lambda key: key.id)


def get_key(session: Session, actor: Actor, key_id: int) -> ApiKey:
    """Return one of the actor's keys; whoever may change staff sees everybody's.

    Raises:
        KeyNotFound: no such key, or somebody else's.
    """
    return _found_key(session.scalars(_visible_keys(actor).where(ApiKey.id == key_id)).one_or_none())


def lock_key(session: Session, actor: Actor, key_id: int) -> ApiKey:
    """Return a key as `get_key` does, which nobody else changes until the transaction ends.

    Raises:
        KeyNotFound: likewise.
    """
    visible = _visible_keys(actor).where(ApiKey.id == key_id)
    return _found_key(session.scalars(visible.with_for_update(key_share=True)).one_or_none())


def lock_own_key(session: Session, actor: Actor, key_id: int) -> ApiKey:
    """Return one of the actor's own keys, which nobody else changes until the transaction ends.

    Raises:
        KeyNotFound: no such key, or somebody else's.
    """
    key = lock_key(session, actor, key_id)
    return _found_key(key if key.customer_id == actor.customer_id else None)


def _visible_keys(actor: Actor) -> Select[ApiKey]:
    keys = select(ApiKey)
    return keys if Permission.STAFF_WRITE in actor.permissions else keys.where(ApiKey.customer_id == actor.customer_id)


def _found_key(key: ApiKey | None) -> ApiKey:
    if key is None:
        raise KeyNotFound
    return key
