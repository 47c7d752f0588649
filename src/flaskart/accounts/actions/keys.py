"""API keys: how a machine acts for a member of staff. Only hashes of the secrets are stored."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import bindparam, delete, or_, update

from flaskart.accounts import queries
from flaskart.accounts.actions.staff import require_held
from flaskart.accounts.errors import KeyRevoked, SpendCapReached
from flaskart.accounts.models import ApiKey, ApiKeySecret
from flaskart.kit import audit, clock
from flaskart.kit.actor import Actor, Permissions, stored
from flaskart.kit.audit import Kind, Subject
from flaskart.kit.db import Session
from flaskart.kit.money import to_major

PREFIX = "flk_live_"  # by which scanners for leaked secrets know one
# Not the name, which may be that of a person: the log is kept when they are erased.
API_KEY = Kind(
    "api_key",
    frozenset({"scopes", "operations", "spend_cap_minor", "currency", "expires_at", "revoked_at"}),
)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key and its secret, which is shown once."""

    key: ApiKey
    secret: str


@dataclass(frozen=True, slots=True)
class SpendCap:
    """How much may be ordered with a key in all."""

    amount_minor: int
    currency: str


def create_key(
    session: Session,
    actor: Actor,
    *,
    name: str,
    scopes: Permissions,
    operations: Collection[str] | None = None,
    valid_days: int | None = None,
    cap: SpendCap | None = None,
) -> NewKey:
    """Make a key that acts for the actor, with no more than they hold; `operations` None means all.

    Raises:
        MoreThanHeld: `missing` lists what the actor does not hold.
    """
    require_held(scopes, by=actor.permissions)
    now = clock.now()
    key = ApiKey(
        customer_id=actor.customer_id,
        name=name,
        scopes=stored(scopes),
        operations=None if operations is None else " ".join(sorted(operations)),
        spend_cap_minor=cap.amount_minor if cap else None,
        currency=cap.currency if cap else None,
        spent_minor=0,
        created_at=now,
        expires_at=None if valid_days is None else now + timedelta(days=valid_days),
        last_four="",
    )
    session.add(key)
    session.flush()
    made = _with_new_secret(session, key)
    audit.record(session, actor, "api_key.added", Subject(API_KEY, key.id), after=audit.fields_of(key))
    return made


def edit_key(
    session: Session,
    actor: Actor,
    key_id: int,
    *,
    name: str | None = None,
    scopes: Permissions | None = None,
    operations: Collection[str] | None = None,
    cap: SpendCap | None = None,
) -> ApiKey:
    """Change what is given of one's own key. What was spent stays spent, unless the cap is in another currency now.

    Raises:
        KeyNotFound: no such key, or somebody else's.
        KeyRevoked: it is of no use any more.
        MoreThanHeld: `missing` lists what the actor does not hold.
    """
    key = _lock_living(session, actor, key_id)
    before = audit.fields_of(key)
    if name is not None:
        key.name = name
    if scopes is not None:
        require_held(scopes, by=actor.permissions)
        key.scopes = stored(scopes)
    if operations is not None:
        key.operations = " ".join(sorted(operations))
    if cap is not None:
        if key.currency != cap.currency:
            key.spent_minor = 0
        key.spend_cap_minor, key.currency = cap.amount_minor, cap.currency
    session.flush()
    audit.record(session, actor, "api_key.updated", Subject(API_KEY, key.id), before=before, after=audit.fields_of(key))
    return key


def rotate_key(session: Session, actor: Actor, key_id: int, *, overlap_seconds: int) -> NewKey:
    """Give one's own key another secret; those it has had work for `overlap_seconds` more.

    Raises:
        KeyNotFound: no such key, or somebody else's.
        KeyRevoked: it is of no use any more.
    """
    key = _lock_living(session, actor, key_id)
    now = clock.now()
    own, ends_at = ApiKeySecret.api_key_id == key.id, now + timedelta(seconds=overlap_seconds)
    session.execute(delete(ApiKeySecret).where(own, ApiKeySecret.expires_at <= now))
    lasting = or_(ApiKeySecret.expires_at.is_(None), ApiKeySecret.expires_at > ends_at)
    session.execute(update(ApiKeySecret).where(own, lasting).values(expires_at=ends_at))
    before = audit.fields_of(key)
    made = _with_new_secret(session, key)
    audit.record(session, actor, "api_key.rotated", Subject(API_KEY, key.id), before=before, after=audit.fields_of(key))
    return made


def revoke_key(session: Session, actor: Actor, key_id: int) -> ApiKey:
    """End a key for good; whoever may change staff can end anybody's. May be repeated.

    Raises:
        KeyNotFound: no such key, or somebody else's.
    """
    key = queries.lock_key(session, actor, key_id)
    before = audit.fields_of(key)
    key.revoked_at = key.revoked_at or clock.now()
    session.flush()
    audit.record(session, actor, "api_key.revoked", Subject(API_KEY, key.id), before=before, after=audit.fields_of(key))
    return key


def spend(session: Session, actor: Actor, amount_minor: int, currency: str) -> None:
    """Count an order against the cap of the key that places it. The key stays locked until the transaction ends.

    Raises:
        SpendCapReached: it would be more than the cap, or is in another currency; `total` is what was asked for.
    """
    asked = {"key_id": actor.key_id, "amount": amount_minor, "in_currency": currency}
    if session.send(_SPEND, asked).one_or_none() is None:
        raise SpendCapReached(total=to_major(amount_minor, currency), currency=currency)


def note_use(session: Session, key_id: int) -> None:
    """Note that a key is in use, unless somebody has just done so."""
    now = clock.now()
    session.send(_NOTE_USE, {"key_id": key_id, "now": now, "long_ago": now - queries.USE_IS_NOTED_EVERY})


def _with_new_secret(session: Session, key: ApiKey) -> NewKey:
    secret = PREFIX + secrets.token_urlsafe(32)
    key.last_four = secret[-4:]
    session.add(ApiKeySecret(api_key_id=key.id, secret_hash=queries.hash_token(secret)))
    session.flush()
    return NewKey(key, secret)


def _lock_living(session: Session, actor: Actor, key_id: int) -> ApiKey:
    key = queries.lock_own_key(session, actor, key_id)
    if key.revoked_at is not None:
        raise KeyRevoked
    return key


# Put together once: building them takes longer than running them.
_SPEND = (
    update(ApiKey)
    .where(
        ApiKey.id == bindparam("key_id"),
        ApiKey.revoked_at.is_(None),
        ApiKey.currency == bindparam("in_currency"),
        ApiKey.spent_minor + bindparam("amount") <= ApiKey.spend_cap_minor,
    )
    .values(spent_minor=ApiKey.spent_minor + bindparam("amount"))
    .returning(ApiKey.id)
)
_NOTE_USE = (
    update(ApiKey)
    .where(
        ApiKey.id == bindparam("key_id"),
        or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= bindparam("long_ago")),
    )
    .values(last_used_at=bindparam("now"))
)
