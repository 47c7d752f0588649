"""What somebody proves by reading their mail: that an address is theirs, and that an account is."""

import secrets
from datetime import timedelta

from sqlalchemy import delete, update

from flaskart.accounts import queries
from flaskart.accounts.actions.account import TAKEN, readdress
from flaskart.accounts.actions.revoking import drop_mailed_tokens, revoke_sign_ins_of
from flaskart.accounts.errors import InvalidMailedToken, PasswordLikeName
from flaskart.accounts.models import AccountToken, Customer, TokenPurpose
from flaskart.accounts.passwords import is_like_name
from flaskart.kit import clock
from flaskart.kit.db import Session
from flaskart.kit.duplicates import translated
from flaskart.kit.jobs import Job, enqueue

VALID = {
    TokenPurpose.VERIFY_EMAIL: timedelta(days=3),
    TokenPurpose.RESET_PASSWORD: timedelta(hours=1),
    TokenPurpose.CHANGE_EMAIL: timedelta(days=1),
}
NOBODY = "mail.nobody"  # a job that no worker ever sees


def issue_token(session: Session, customer_id: int, purpose: TokenPurpose) -> str:
    """Return a new token of an account, to be mailed at once; an unused earlier one of this purpose dies.

    Only its hash is stored.

    Raises:
        AccountNotFound: no such account, or one that was erased or disabled.
    """
    customer = queries.lock_customer(session, customer_id, is_enabled=True)
    drop_mailed_tokens(session, customer.id, purpose)
    token = secrets.token_urlsafe(32)
    now = clock.now()
    session.add(
        AccountToken(
            customer_id=customer.id,
            purpose=purpose,
            token_hash=queries.hash_token(token),
            created_at=now,
            expires_at=now + VALID[purpose],
        )
    )
    return token


def ask_for_verification(session: Session, email: str) -> None:
    """Have the message that verifies an address sent again, if an account with it waits for that.

    Nobody learns from the answer, nor from how long it takes, whether there is one.
    """
    _enqueue_for(session, queries.find_unverified(session, email), "mail.verify_email")


def ask_for_reset(session: Session, email: str) -> None:
    """Have the message that resets a password sent, if there is an account with this address.

    Nobody learns from the answer, nor from how long it takes, whether there is one.
    """
    _enqueue_for(session, queries.find_by_email(session, email), "mail.reset_password")


def verify_email(session: Session, token: str) -> Customer:
    """Note that the address to which a token was sent is its account's.

    Raises:
        InvalidMailedToken: unknown, expired, or used before.
    """
    customer = _redeem(session, token, TokenPurpose.VERIFY_EMAIL)
    customer.email_verified_at = customer.email_verified_at or clock.now()
    return customer


def reset_password(session: Session, token: str, *, new_password: str, new_hash: str) -> Customer:
    """Set a new password, given plain and hashed, for whoever reads the account's mail; end all its sign-ins.

    That the address is theirs is proved by the way. A second factor stays.

    Raises:
        InvalidMailedToken: unknown, expired, or used before.
        PasswordLikeName: the token may be used again.
    """
    customer = _redeem(session, token, TokenPurpose.RESET_PASSWORD)
    if is_like_name(new_password, customer.username, customer.email):
        raise PasswordLikeName
    customer.password_hash = new_hash
    customer.email_verified_at = customer.email_verified_at or clock.now()
    revoke_sign_ins_of(session, customer.id)
    enqueue(session, "mail.password_changed", {"customer_id": customer.id})
    return customer


def confirm_email_change(session: Session, token: str) -> Customer:
    """Give an account the address that a token was sent to; what was mailed to the old one is void.

    Raises:
        InvalidMailedToken: unknown, expired, or used before.
        EmailTaken: by somebody else, in the meantime.
    """
    customer = _redeem(session, token, TokenPurpose.CHANGE_EMAIL)
    if customer.pending_email is None:
        raise InvalidMailedToken
    with translated(session, TAKEN):
        readdress(customer, customer.pending_email)
        customer.email_verified_at = clock.now()
        customer.pending_email = None
    drop_mailed_tokens(session, customer.id)
    return customer


def forget_expired_mailed_tokens(session: Session) -> int:
    """Delete the tokens that are past their time; return how many there were. Each was refused already."""
    expired = delete(AccountToken).where(AccountToken.expires_at < clock.now())
    return len(session.execute(expired.returning(AccountToken.id)).all())


def _enqueue_for(session: Session, customer_id: int | None, job: str) -> None:
    """Enqueue a job for an account. For nobody's, do the same and take it back: equal statements, an equal commit."""
    run_at = clock.now()
    enqueue(session, job if customer_id else NOBODY, {"customer_id": customer_id or 0}, run_at=run_at)
    session.execute(delete(Job).where(Job.run_at == run_at, Job.name == NOBODY))


def _redeem(session: Session, token: str, purpose: TokenPurpose) -> Customer:
    """Use a token up and return its account, locked; the locks are taken in the order in which tokens are issued."""
    presented = (AccountToken.token_hash == queries.hash_token(token)) & (AccountToken.purpose == purpose)
    customer = queries.lock_customer_of(session, presented)
    now = clock.now()
    usable = update(AccountToken).where(presented, AccountToken.used_at.is_(None), AccountToken.expires_at > now)
    used = session.execute(usable.values(used_at=now).returning(AccountToken.id)).first()
    if customer is None or used is None:
        raise InvalidMailedToken
    return customer
