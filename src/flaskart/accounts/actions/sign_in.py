"""Signing in and out: a sign-in is a family of refresh tokens."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, update

from flaskart.accounts import queries
from flaskart.accounts.errors import InvalidCredentials, InvalidRefreshToken
from flaskart.accounts.models import RefreshToken
from flaskart.accounts.passwords import hash_password, is_outdated, is_password
from flaskart.kit import clock
from flaskart.kit.db import Database, Session
from flaskart.kit.ids import random_uuid

# A client that lost the answer, or sent two refreshes at once, may use a token again for so long.
REUSE_GRACE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in, and the refresh token that continues it; only the token's hash is stored."""

    customer_id: int
    session_id: str
    refresh_token: str


def log_in(db: Database, name: str, password: str, *, valid_seconds: int) -> SignIn:
    """Sign in with a username or an e-mail address; a hash of older parameters is renewed.

    The password is verified between two transactions, so that nobody waits for it.

    Raises:
        InvalidCredentials: no such account, or another password; both take the same time.
    """
    with db.read() as session:
        found = queries.find_by_login(session, name)
    if not is_password(found.password_hash if found else None, password) or found is None:
        raise InvalidCredentials
    renewed = hash_password(password) if is_outdated(found.password_hash) else found.password_hash
    with db.write() as session:
        customer = queries.find_unchanged(session, found)
        if customer is None:
            raise InvalidCredentials
        customer.password_hash = renewed
        return begin_sign_in(session, customer.id, valid_seconds=valid_seconds)


def begin_sign_in(session: Session, customer_id: int, *, valid_seconds: int) -> SignIn:
    """Sign in an account whose owner has proved to be who they are."""
    return _issue(session, customer_id, random_uuid(), valid_seconds)


def refresh(db: Database, token: str, *, valid_seconds: int) -> SignIn:
    """Exchange a refresh token for the next one of its family.

    A token used before, past a short grace, means that somebody copied it: the whole family is revoked.

    Raises:
        InvalidRefreshToken: unknown, expired, revoked, or used before.
    """
    with db.write() as session:
        row = queries.find_refresh_token(session, token)
        now = clock.now()
        if row is None or row.revoked_at is not None or row.expires_at <= now:
            raise InvalidRefreshToken
        if row.used_at is None or row.used_at + REUSE_GRACE >= now:
            row.used_at = row.used_at or now
            return _issue(session, row.customer_id, row.family, valid_seconds)
        revoke_sign_in(session, row.family)
    raise InvalidRefreshToken


def log_out(session: Session, *, session_id: str | None = None, refresh_token: str | None = None) -> None:
    """End a sign-in, named by itself or by one of its refresh tokens. May be repeated; an unknown one is no error."""
    if refresh_token is not None:
        row = queries.find_refresh_token(session, refresh_token)
        session_id = row.family if row else None
    if session_id is not None:
        revoke_sign_in(session, session_id)


def revoke_sign_in(session: Session, session_id: str) -> None:
    """End a sign-in: all its tokens stop working."""
    family = RefreshToken.family == session_id
    queries.lock_owner(session, family)
    session.execute(update(RefreshToken).where(family).values(revoked_at=clock.now()))


def forget_expired_sign_ins(session: Session) -> int:
    """Delete the refresh tokens that are past their time; return how many there were. Each was refused already."""
    expired = delete(RefreshToken).where(RefreshToken.expires_at < clock.now())
    return len(session.execute(expired.returning(RefreshToken.id)).all())


def _issue(session: Session, customer_id: int, family: str, valid_seconds: int) -> SignIn:
    token = secrets.token_urlsafe(32)
    now = clock.now()
    session.add(
        RefreshToken(
            customer_id=customer_id,
            family=family,
            token_hash=queries.hash_token(token),
            created_at=now,
            expires_at=now + timedelta(seconds=valid_seconds),
        )
    )
    return SignIn(customer_id, family, token)
