"""Named reads of the accounts room."""

import hashlib
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, bindparam, exists, func, or_, select

from flaskart.accounts.errors import AccountNotFound, AddressNotFound, IdentityNotFound
from flaskart.accounts.models import Address, Customer, ExternalIdentity, RefreshToken, fold
from flaskart.kit.actor import Actor, Role
from flaskart.kit.db import Session


def find_actor(session: Session, customer_id: int, session_id: str) -> Actor | None:
    """Return who a sign-in belongs to; None once it was revoked or the account erased. One statement."""
    role = session.send(_ROLE, {"customer_id": customer_id, "session_id": session_id}).scalar_one_or_none()
    return None if role is None else Actor(customer_id, Role(role), session_id)


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
    """Return the account with this username or e-mail address; usernames have no `@`, so only one can fit."""
    folded = fold(name)
    return session.scalars(
        select(Customer).where(
            or_(Customer.username_folded == folded, Customer.email_folded == folded), Customer.erased_at.is_(None)
        )
    ).one_or_none()


def find_unchanged(session: Session, customer: Customer) -> Customer | None:
    """Return an account that was read before, locked; None if it was erased or got another password since."""
    same = (Customer.id == customer.id) & (Customer.password_hash == customer.password_hash)
    unchanged = select(Customer).where(same, Customer.erased_at.is_(None))
    return session.scalars(unchanged.with_for_update(key_share=True)).one_or_none()


def find_refresh_token(session: Session, token: str) -> RefreshToken | None:
    """Return the row of a refresh token, whose account nobody signs in to or out of until the transaction ends."""
    presented = RefreshToken.token_hash == hash_token(token)
    lock_owner(session, presented)
    return session.scalars(select(RefreshToken).where(presented)).one_or_none()


def lock_owner(session: Session, tokens: ColumnElement[bool]) -> None:
    """Lock the account of some refresh tokens: without it a new token could slip past a revocation under way."""
    owner = select(Customer.id).where(Customer.id.in_(select(RefreshToken.customer_id).where(tokens)))
    session.execute(owner.with_for_update(key_share=True))


def lock_by_identity(session: Session, provider: str, subject: str) -> Customer | None:
    """Return the account that a provider's person gets into, erased or not, which nobody changes meanwhile."""
    linked = select(ExternalIdentity.customer_id).where(
        ExternalIdentity.provider == provider, ExternalIdentity.subject == subject
    )
    return session.scalars(
        select(Customer).where(Customer.id == linked.scalar_subquery()).with_for_update(key_share=True)
    ).one_or_none()


def lock_by_email(session: Session, email: str) -> Customer | None:
    """Return the account with an e-mail address, which nobody changes until the transaction ends."""
    same = Customer.email_folded == fold(email)
    return session.scalars(select(Customer).where(same).with_for_update(key_share=True)).one_or_none()


def is_username_taken(session: Session, username: str) -> bool:
    return session.scalar(select(exists().where(Customer.username_folded == fold(username)))) is True


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


def list_accounts(session: Session) -> Sequence[Customer]:
    return session.scalars(select(Customer).where(Customer.erased_at.is_(None)).order_by(Customer.id)).all()


def list_addresses(session: Session, actor: Actor) -> Sequence[Address]:
    """Return all of the actor's addresses, of which there are `MAX_ADDRESSES` at most, the oldest first."""
    return session.scalars(select(Address).where(Address.customer_id == actor.customer_id).order_by(Address.id)).all()


def get_address(session: Session, actor: Actor, address_id: int) -> Address:
    """Return one of the actor's addresses.

    Raises:
        AddressNotFound: no such address, or somebody else's.
    """
    own = (Address.id == address_id) & (Address.customer_id == actor.customer_id)
    address = session.scalars(select(Address).where(own)).one_or_none()
    if address is None:
        raise AddressNotFound
    return address


def count_addresses(session: Session, actor: Actor) -> int:
    return session.scalars(select(func.count(Address.id)).where(Address.customer_id == actor.customer_id)).one()


def hash_token(token: str) -> str:
    """Return what is stored of a random token; 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def _own_account(actor: Actor) -> Select[Customer]:
    return select(Customer).where(Customer.id == actor.customer_id, Customer.erased_at.is_(None))


def _found(customer: Customer | None) -> Customer:
    if customer is None:
        raise AccountNotFound
    return customer


# Put together once: building them takes longer than running them.
_ROLE = select(Customer.role).where(
    Customer.id == bindparam("customer_id"),
    Customer.erased_at.is_(None),
    exists().where(
        RefreshToken.family == bindparam("session_id"),
        RefreshToken.customer_id == Customer.id,
        RefreshToken.revoked_at.is_(None),
    ),
)
# A share of the lock is enough, and lets what refers to the account be written meanwhile; changing it waits.
_EMAIL = (
    select(Customer.email)
    .where(Customer.id == bindparam("customer_id"), Customer.erased_at.is_(None))
    .with_for_update(read=True)
)
