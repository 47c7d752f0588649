"""Accounts, found and locked."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, bindparam, exists, or_, select

from flaskart.accounts.errors import (
    AccountNotFound,
)
from flaskart.accounts.models import (
    AccountToken,
    Address,
    ApiKey,
    Consent,
    Customer,
    ExternalIdentity,
    SignInRecord,
    fold,
)
from flaskart.kit.actor import Actor
from flaskart.kit.db import Session
from flaskart.kit.personal import Sections, records


def get_account(session: Session, actor: Actor) -> Customer:
    """Return the actor's own account.

    Raises:
        AccountNotFound: erased a moment ago.
    """
    return _found(session.scalars(_own_account(actor)).one_or_none())


def get_email(session: Session, actor: Actor) -> str:
    """Return the actor's e-mail address; the account cannot be erased until the transaction ends.

    Raises:
        AccountNotFound: erased a moment ago.
    """
    email = session.send(_EMAIL, {"customer_id": actor.customer_id}).scalar_one_or_none()
    if email is None:
        raise AccountNotFound
    return str(email)


def lock_account(session: Session, actor: Actor) -> Customer:
    """Return the actor's own account, which nobody else changes until the transaction ends.

    Raises:
        AccountNotFound: erased a moment ago.
    """
    return _found(session.scalars(_own_account(actor).with_for_update(key_share=True)).one_or_none())


def find_by_login(session: Session, name: str) -> Customer | None:
    """Return the account that may sign in by this username or e-mail address.

    Usernames have no `@`, so only one can fit.
    """
    folded = fold(name)
    named = or_(Customer.username_folded == folded, Customer.email_folded == folded)
    return session.scalars(select(Customer).where(named, Customer.erased_at.is_(None))).one_or_none()


def get_by_login(session: Session, name: str) -> Customer:
    """Return the account with this username or e-mail address.

    Raises:
        AccountNotFound: there is none.
    """
    return _found(find_by_login(session, name))


def find_unchanged(session: Session, customer: Customer) -> Customer | None:
    """Return an account that was read before, locked; None if it was erased or got another password since."""
    same = (Customer.id == customer.id) & (Customer.password_hash == customer.password_hash)
    unchanged = select(Customer).where(same, Customer.erased_at.is_(None))
    return session.scalars(unchanged.with_for_update(key_share=True)).one_or_none()


def find_by_email(session: Session, email: str) -> int | None:
    """Return the id of the account with this address that may sign in."""
    return session.scalar(_ID_BY_EMAIL, {"email": fold(email)})


def find_unverified(session: Session, email: str) -> int | None:
    """Return the id of the account with this address that may sign in and has not verified it."""
    return session.scalar(_ID_BY_EMAIL.where(Customer.email_verified_at.is_(None)), {"email": fold(email)})


def lock_customer(session: Session, customer_id: int, *, is_enabled: bool = False) -> Customer:
    """Return somebody's account, which nobody else changes until the transaction ends; `is_enabled` asks for that, too.

    Raises:
        AccountNotFound: no such account, or an erased one.
    """
    theirs = select(Customer).where(Customer.id == customer_id, Customer.erased_at.is_(None))
    if is_enabled:
        theirs = theirs.where(Customer.disabled_at.is_(None))
    return _found(session.scalars(theirs.with_for_update(key_share=True)).one_or_none())


def lock_customer_of(session: Session, tokens: ColumnElement[bool]) -> Customer | None:
    """Return the account of a token that was mailed, locked."""
    owner = select(Customer).where(Customer.id.in_(select(AccountToken.customer_id).where(tokens)))
    return session.scalars(owner.with_for_update(key_share=True)).one_or_none()


def lock_sealed(session: Session) -> Sequence[Customer]:
    """Return the accounts with a sealed secret, locked."""
    sealed = select(Customer).where(Customer.totp_secret.is_not(None)).order_by(Customer.id)
    return session.scalars(sealed.with_for_update(key_share=True)).all()


def lock_by_email(session: Session, email: str) -> Customer | None:
    """Return the account with an e-mail address, which nobody changes until the transaction ends."""
    same = Customer.email_folded == fold(email)
    return session.scalars(select(Customer).where(same).with_for_update(key_share=True)).one_or_none()


def is_username_taken(session: Session, username: str) -> bool:
    return session.scalar(select(exists().where(Customer.username_folded == fold(username)))) is True


def list_accounts(session: Session) -> Sequence[Customer]:
    return session.scalars(select(Customer).where(Customer.erased_at.is_(None)).order_by(Customer.id)).all()


def personal_data_of(session: Session, customer_id: int) -> Sections:
    """Return an account and all that belongs to it as they are kept, without the secrets."""
    secrets = ("password_hash", "totp_secret", "totp_used_step", "username_folded", "email_folded")
    return {
        "account": records(session, Customer, Customer.id == customer_id, without=secrets),
        "sign_ins": records(session, SignInRecord, SignInRecord.customer_id == customer_id),
        "addresses": records(session, Address, Address.customer_id == customer_id),
        "consents": records(session, Consent, Consent.customer_id == customer_id),
        "identities": records(session, ExternalIdentity, ExternalIdentity.customer_id == customer_id),
        "api_keys": records(session, ApiKey, ApiKey.customer_id == customer_id),
    }


def _own_account(actor: Actor) -> Select[Customer]:
    return select(Customer).where(Customer.id == actor.customer_id, Customer.erased_at.is_(None))


def _found(customer: Customer | None) -> Customer:
    if customer is None:
        raise AccountNotFound
    return customer


_ID_BY_EMAIL = select(Customer.id).where(
    Customer.email_folded == bindparam("email"), Customer.erased_at.is_(None), Customer.disabled_at.is_(None)
)
# A share of the lock is enough, and lets what refers to the account be written meanwhile; changing it waits.
_EMAIL = (
    select(Customer.email)
    .where(Customer.id == bindparam("customer_id"), Customer.erased_at.is_(None))
    .with_for_update(read=True)
)
