"""Sign-ins, and the providers one may come from."""

import hashlib
from collections.abc import Sequence

from sqlalchemy import ColumnElement, case, func, select

from flaskart.accounts.errors import (
    IdentityNotFound,
)
from flaskart.accounts.models import (
    Customer,
    ExternalIdentity,
    RecoveryCode,
    RefreshToken,
    SignInRecord,
)
from flaskart.kit import clock
from flaskart.kit.actor import Actor
from flaskart.kit.db import Session
from flaskart.kit.paging import MAX_ID, Page, decode_cursor, page_of


def find_refresh_token(session: Session, token: str) -> RefreshToken | None:
    return session.scalars(select(RefreshToken).where(RefreshToken.token_hash == hash_token(token))).one_or_none()


def lock_sign_in_of(session: Session, token: str) -> SignInRecord | None:
    """Return the sign-in of a refresh token, which nobody continues or ends until the transaction ends."""
    family = select(RefreshToken.family).where(RefreshToken.token_hash == hash_token(token))
    sign_in = select(SignInRecord).where(SignInRecord.family == family.scalar_subquery())
    return session.scalars(sign_in.with_for_update(key_share=True)).one_or_none()


def alive_sign_ins(actor: Actor) -> ColumnElement[bool]:
    """Return what is true of the actor's own sign-ins that have neither ended nor expired."""
    in_time = SignInRecord.expires_at > clock.now()
    return (SignInRecord.customer_id == actor.customer_id) & SignInRecord.revoked_at.is_(None) & in_time


def list_sign_ins(session: Session, actor: Actor, *, limit: int, after: str | None) -> Page[SignInRecord]:
    """Return a page of the actor's own sign-ins that are alive, the newest first."""
    last_id = MAX_ID if after is None else decode_cursor(after)
    own = select(SignInRecord).where(alive_sign_ins(actor), SignInRecord.id < last_id)
    rows = session.scalars(own.order_by(SignInRecord.id.desc()).limit(limit + 1)).all()
    return page_of(rows, limit, key=lambda sign_in: sign_in.id)


def is_strange_device(session: Session, customer_id: int, user_agent: str, ip: str) -> bool:
    """Tell whether an account has signed in before, but from elsewhere or with something else."""
    is_same = (SignInRecord.user_agent == user_agent) & (SignInRecord.ip == ip)
    counts = select(func.count(), func.count(case((is_same, 1)))).where(SignInRecord.customer_id == customer_id)
    earlier, alike = session.execute(counts).one()
    return bool(earlier and not alike)


def count_recovery_codes(session: Session, actor: Actor) -> int:
    return session.scalars(select(func.count()).where(RecoveryCode.customer_id == actor.customer_id)).one()


def lock_by_identity(session: Session, provider: str, subject: str) -> Customer | None:
    """Return the account that a provider's person gets into, erased or not, which nobody changes meanwhile."""
    linked = select(ExternalIdentity.customer_id).where(
        ExternalIdentity.provider == provider, ExternalIdentity.subject == subject
    )
    return session.scalars(
        select(Customer).where(Customer.id == linked.scalar_subquery()).with_for_update(key_share=True)
    ).one_or_none()


def find_identity(session: Session, provider: str, subject: str) -> ExternalIdentity | None:
    same = (ExternalIdentity.provider == provider) & (ExternalIdentity.subject == subject)
    return session.scalars(select(ExternalIdentity).where(same)).one_or_none()


def get_identity(session: Session, actor: Actor, identity_id: int) -> ExternalIdentity:
    """Return a linked sign-in of the actor's own.

    Raises:
        IdentityNotFound: no such one, or somebody else's.
    """
    own = (ExternalIdentity.id == identity_id) & (ExternalIdentity.customer_id == actor.customer_id)
    identity = session.scalars(select(ExternalIdentity).where(own)).one_or_none()
    if identity is None:
        raise IdentityNotFound
    return identity


def list_identities(session: Session, customer_id: int) -> Sequence[ExternalIdentity]:
    own = ExternalIdentity.customer_id == customer_id
    return session.scalars(select(ExternalIdentity).where(own).order_by(ExternalIdentity.id)).all()


def hash_token(token: str) -> str:
    """Return what is stored of a random token; 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
