"""Signing in and out: a sign-in, and the family of refresh tokens that continues it."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete

from flaskart.accounts import queries
from flaskart.accounts.actions.revoking import revoke_sign_ins, revoke_sign_ins_of
from flaskart.accounts.actions.second_factor import use_code
from flaskart.accounts.errors import (
    AccountDisabled,
    EmailNotVerified,
    InvalidCredentials,
    InvalidRefreshToken,
    SecondFactorFailed,
    SecondFactorRequired,
    SignInNotFound,
)
from flaskart.accounts.models import Customer, RefreshToken, SignInRecord
from flaskart.accounts.passwords import hash_password, is_outdated, is_password
from flaskart.kit import clock
from flaskart.kit.actor import Actor
from flaskart.kit.db import Database, Session
from flaskart.kit.ids import random_uuid
from flaskart.kit.jobs import enqueue
from flaskart.kit.seals import Seals
from flaskart.kit.slots import Slots

# A client that lost the answer, or sent two refreshes at once, may use a token again for so long.
REUSE_GRACE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the shop asks of whoever signs in, and for how many seconds a sign-in may rest."""

    valid_seconds: int
    hashing: Slots
    seals: Seals
    needs_verified_email: bool = False


@dataclass(frozen=True, slots=True)
class Device:
    """What somebody signs in with, as far as a server sees it."""

    user_agent: str
    ip: str


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in, and the refresh token that continues it; only the token's hash is stored."""

    customer_id: int
    session_id: str
    refresh_token: str


def log_in(
    db: Database, name: str, password: str, *, terms: Terms, otp: str | None = None, device: Device | None = None
) -> SignIn:
    """Sign in with a username or an e-mail address; a hash of older parameters is renewed.

    The password is verified between two transactions, so that nobody waits for it. What else is wrong is told only to
    whoever knows it.

    Raises:
        InvalidCredentials: no such account, or another password; both take the same time.
        AccountDisabled: by staff.
        EmailNotVerified: the shop asks for it.
        SecondFactorRequired: the account has one, and no code was given.
        SecondFactorFailed: the code is not right, or was used before.
        Overloaded: too many passwords are being verified.
    """
    with db.read() as session:
        found = queries.find_by_login(session, name)
    with terms.hashing.take():
        if not is_password(found.password_hash if found else None, password) or found is None:
            raise InvalidCredentials
        renewed = hash_password(password) if is_outdated(found.password_hash) else found.password_hash
    with db.write() as session:
        customer = queries.find_unchanged(session, found)
        if customer is None:
            raise InvalidCredentials
        admit(session, customer, terms, otp)
        customer.password_hash = renewed
        return begin_sign_in(session, customer.id, valid_seconds=terms.valid_seconds, device=device)


def admit(session: Session, customer: Customer, terms: Terms, otp: str | None) -> None:
    """See that a locked account whose owner has proved to be who they are may sign in. A code is used up.

    Raises:
        AccountDisabled: by staff.
        EmailNotVerified: the shop asks for it.
        SecondFactorRequired: the account has one, and no code was given.
        SecondFactorFailed: the code is not right, or was used before.
    """
    if customer.disabled_at is not None:
        raise AccountDisabled
    if terms.needs_verified_email and customer.email_verified_at is None:
        raise EmailNotVerified
    if customer.second_factor_at is None:
        return
    if otp is None:
        raise SecondFactorRequired
    if not use_code(session, customer, otp, terms.seals):
        raise SecondFactorFailed


def begin_sign_in(session: Session, customer_id: int, *, valid_seconds: int, device: Device | None = None) -> SignIn:
    """Sign in an account whose owner has proved to be who they are.

    They get a message when it is from a device that none of their sign-ins was from, unless it is the first one.
    """
    device = device or Device("", "")
    is_strange = queries.is_strange_device(session, customer_id, device.user_agent, device.ip)
    now = clock.now()
    sign_in = SignInRecord(
        customer_id=customer_id,
        family=random_uuid(),
        user_agent=device.user_agent,
        ip=device.ip,
        created_at=now,
        last_used_at=now,
    )
    session.add(sign_in)
    issued = _issue(session, sign_in, valid_seconds)
    if is_strange:
        enqueue(session, "mail.new_sign_in", {"customer_id": customer_id, "session_id": sign_in.family})
    return issued


def refresh(db: Database, token: str, *, valid_seconds: int) -> SignIn:
    """Exchange a refresh token for the next one of its family.

    A token used before, past a short grace, means that somebody copied it: the whole sign-in is revoked.

    Raises:
        InvalidRefreshToken: unknown, expired, revoked, or used before.
    """
    with db.write() as session:
        sign_in = queries.lock_sign_in_of(session, token)
        row = queries.find_refresh_token(session, token)
        now = clock.now()
        if sign_in is None or row is None or sign_in.revoked_at is not None or row.expires_at <= now:
            raise InvalidRefreshToken
        if row.used_at is None or row.used_at + REUSE_GRACE >= now:
            row.used_at = row.used_at or now
            sign_in.last_used_at = now
            return _issue(session, sign_in, valid_seconds)
        sign_in.revoked_at = now
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
    revoke_sign_ins(session, SignInRecord.family == session_id)


def end_sign_in(session: Session, actor: Actor, session_id: str) -> None:
    """End one of the actor's sign-ins, which may be the one they ask with.

    Raises:
        SignInNotFound: no such sign-in, somebody else's, or ended before.
    """
    own = queries.alive_sign_ins(actor) & (SignInRecord.family == session_id)
    if not (session_id.isalnum() and revoke_sign_ins(session, own)):  # PostgreSQL cannot compare a NUL
        raise SignInNotFound


def end_other_sign_ins(session: Session, actor: Actor) -> None:
    """End all of the actor's sign-ins but the one they ask with."""
    customer = queries.lock_account(session, actor)
    revoke_sign_ins_of(session, customer.id, but=actor.session_id)


def forget_expired_sign_ins(session: Session) -> int:
    """Delete the refresh tokens that are past their time, and sign-ins with none left; return how many tokens.

    Each was refused already.
    """
    now = clock.now()
    expired = delete(RefreshToken).where(RefreshToken.expires_at < now)
    forgotten = len(session.execute(expired.returning(RefreshToken.id)).all())
    session.execute(delete(SignInRecord).where(SignInRecord.expires_at < now))
    return forgotten


def _issue(session: Session, sign_in: SignInRecord, valid_seconds: int) -> SignIn:
    token = secrets.token_urlsafe(32)
    now = clock.now()
    sign_in.expires_at = now + timedelta(seconds=valid_seconds)
    session.flush()  # a token refers to its sign-in, which no relationship tells the ORM
    session.add(
        RefreshToken(
            family=sign_in.family,
            token_hash=queries.hash_token(token),
            created_at=now,
            expires_at=sign_in.expires_at,
        )
    )
    return SignIn(sign_in.customer_id, sign_in.family, token)
