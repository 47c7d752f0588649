"""What belongs to an account: addresses and consents."""

from collections.abc import Sequence

from sqlalchemy import func, select

from flaskart.accounts.errors import (
    AddressNotFound,
)
from flaskart.accounts.models import (
    Address,
    Consent,
    ConsentPurpose,
)
from flaskart.kit.actor import Actor
from flaskart.kit.db import Session


def list_consents(session: Session, actor: Actor) -> Sequence[Consent]:
    """Return what the actor said last about each purpose they were asked about."""
    last = select(func.max(Consent.id)).where(Consent.customer_id == actor.customer_id).group_by(Consent.purpose)
    return session.scalars(select(Consent).where(Consent.id.in_(last))).all()


def find_consent(session: Session, actor: Actor, purpose: ConsentPurpose) -> Consent | None:
    """Return what the actor said last about a purpose; None if never anything."""
    said = select(Consent).where(Consent.customer_id == actor.customer_id, Consent.purpose == purpose)
    return session.scalars(said.order_by(Consent.id.desc()).limit(1)).one_or_none()


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
