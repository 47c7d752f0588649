"""What a person can do with an account."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, update

from flaskart.accounts import queries
from flaskart.accounts.errors import EmailTaken, InvalidCredentials, InvalidRefreshToken, UsernameTaken, WrongPassword
from flaskart.accounts.models import Customer, RefreshToken, fold
from flaskart.accounts.passwords import hash_password, is_outdated, is_password
from flaskart.kit import clock
from flaskart.kit.actor import Actor, Role
from flaskart.kit.db import Database, Session
from flaskart.kit.duplicates import translated
from flaskart.kit.errors import ShopError
from flaskart.kit.ids import random_uuid

# A client that lost the answer, or sent two refreshes at once, may use a token again for so long.
REUSE_GRACE = timedelta(seconds=30)
TAKEN: dict[str, type[ShopError]] = {
    "uq_customer_username_folded customer.username_folded": UsernameTaken,
    "uq_customer_email_folded customer.email_folded": EmailTaken,
}


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in, and the refresh token that continues it; only the token's hash is stored."""

    customer_id: int
    session_id: str
    refresh_token: str


def register(
    session: Session, *, username: str, email: str, password_hash: str, role: Role = Role.CUSTOMER
) -> Customer:
    """Open an account. The password comes hashed, since hashing is slow and a transaction should not wait for it.

    Raises:
        UsernameTaken: whatever the case of its letters.
        EmailTaken: likewise.
    """
    customer = Customer(password_hash=password_hash, role=role, created_at=clock.now())
    _rename(customer, username)
    _readdress(customer, email)
    with translated(session, TAKEN):
        session.add(customer)
    return customer


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


def edit_account(session: Session, actor: Actor, *, username: str | None = None, email: str | None = None) -> Customer:
    """Change what is given of one's own account; a new e-mail address is unverified again.

    Raises:
        UsernameTaken: by somebody else.
        EmailTaken: likewise.
    """
    customer = queries.lock_account(session, actor)
    with translated(session, TAKEN):
        if username is not None:
            _rename(customer, username)
        if email is not None:
            _readdress(customer, email)
    return customer


def find_verified_hash(db: Database, actor: Actor, password: str) -> str | None:
    """Return the hash of the actor's password if this is it; outside a transaction, since nobody should wait for it.

    Raises:
        AccountNotFound: erased a moment ago.
    """
    with db.read() as session:
        password_hash = queries.get_account(session, actor).password_hash
    return password_hash if is_password(password_hash, password) else None


def change_password(session: Session, actor: Actor, *, verified_hash: str | None, new_hash: str) -> None:
    """Set a new password, given hashed, and end every other sign-in of the account.

    `verified_hash` is what `find_verified_hash` found.

    Raises:
        WrongPassword: nothing was verified, or the password has changed since.
    """
    customer = queries.lock_account(session, actor)
    if customer.password_hash != verified_hash:
        raise WrongPassword
    customer.password_hash = new_hash
    others = (RefreshToken.customer_id == customer.id) & (RefreshToken.family != actor.session_id)
    session.execute(update(RefreshToken).where(others).values(revoked_at=clock.now()))


def delete_account(session: Session, actor: Actor) -> None:
    """Erase the person from the account for good and end its sign-ins. The orders stay, for the books."""
    customer = queries.lock_account(session, actor)
    gone = f"@erased-{customer.id}"  # neither a username nor an address that anybody could register
    _rename(customer, gone)
    _readdress(customer, gone)
    customer.password_hash = ""
    customer.erased_at = clock.now()
    own = RefreshToken.customer_id == customer.id
    session.execute(update(RefreshToken).where(own).values(revoked_at=clock.now()))


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


def _rename(customer: Customer, username: str) -> None:
    customer.username, customer.username_folded = username, fold(username)


def _readdress(customer: Customer, email: str) -> None:
    if getattr(customer, "email_folded", None) != fold(email):
        customer.email_verified_at = None
    customer.email, customer.email_folded = email, fold(email)
