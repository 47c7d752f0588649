"""Who a request is from, and what they may do. Asked with every one."""

from datetime import timedelta

from sqlalchemy import ColumnElement, bindparam, case, func, literal_column, or_, select

from flaskart.accounts.models import (
    ApiKey,
    ApiKeySecret,
    Customer,
    RoleGrant,
    SignInRecord,
    StaffRole,
)
from flaskart.accounts.queries.sign_ins import hash_token
from flaskart.kit import clock
from flaskart.kit.actor import Actor, Permissions, PresentedKey, Role, permissions_in, permissions_with
from flaskart.kit.db import Session


def find_actor(session: Session, customer_id: int, session_id: str) -> Actor | None:
    """Return who a sign-in belongs to; None once it was revoked, or the account erased or disabled. One statement."""
    row = session.send(_ACTOR, {"customer_id": customer_id, "session_id": session_id}).one_or_none()
    if row is None:
        return None
    return Actor(customer_id, permissions_with(row[0] or ""), session_id, has_second_factor=bool(row[1]))


def find_key(session: Session, secret: str) -> PresentedKey | None:
    """Return who acts with a key; None once it was revoked or has expired, or its owner is not staff any more."""
    now = clock.now()
    found = session.send(_KEY, {"secret_hash": hash_token(secret), "now": now}).one_or_none()
    if found is None:
        return None
    actor = Actor(
        found.customer_id,
        permissions_with(found.held or "") & permissions_in(found.scopes),
        session_id="",
        key_id=found.id,
        operations=None if found.operations is None else frozenset(found.operations.split()),
        has_spend_cap=found.spend_cap_minor is not None,
    )
    noted_at = found.last_used_at
    return PresentedKey(actor, is_use_to_be_noted=noted_at is None or noted_at <= now - USE_IS_NOTED_EVERY)


def get_permissions(session: Session, customer_id: int) -> Permissions:
    """Return what an account may do by now."""
    return permissions_with(session.scalar(_HELD_BY.where(RoleGrant.customer_id == customer_id)) or "")


# Put together once: building them takes longer than running them.
# Constants stand in the statements' text: each bound one would cost 3 us a request.
_SPACE: ColumnElement[str] = literal_column("' '")
_HELD_BY = select(func.aggregate_strings(StaffRole.permissions, _SPACE)).join(  # type: ignore[arg-type]
    RoleGrant, RoleGrant.role_id == StaffRole.id
)
_HELD = _HELD_BY.where(RoleGrant.customer_id == Customer.id).scalar_subquery()
_IS_STAFF = Customer.role == literal_column(f"'{Role.STAFF}'")
_ACTOR = (
    select(case((_IS_STAFF, _HELD)), Customer.second_factor_at.is_not(None))  # a customer has no role to look for
    .join(SignInRecord, SignInRecord.customer_id == Customer.id)
    .where(
        SignInRecord.family == bindparam("session_id"),
        SignInRecord.revoked_at.is_(None),
        Customer.id == bindparam("customer_id"),
        Customer.disabled_at.is_(None),
        Customer.erased_at.is_(None),
    )
)
_KEY = (
    select(
        ApiKey.id,
        ApiKey.customer_id,
        ApiKey.scopes,
        ApiKey.operations,
        ApiKey.spend_cap_minor,
        ApiKey.last_used_at,
        _HELD.label("held"),
    )
    .join(ApiKeySecret, ApiKeySecret.api_key_id == ApiKey.id)
    .join(Customer, Customer.id == ApiKey.customer_id)
    .where(
        ApiKeySecret.secret_hash == bindparam("secret_hash"),
        or_(ApiKeySecret.expires_at.is_(None), ApiKeySecret.expires_at > bindparam("now")),
        or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > bindparam("now")),
        ApiKey.revoked_at.is_(None),
        Customer.erased_at.is_(None),
        Customer.disabled_at.is_(None),
        _IS_STAFF,
    )
)
# How exactly a key's last use is known: reading through a key must not be a write each time.
USE_IS_NOTED_EVERY = timedelta(minutes=1)
