"""Keeping one's address book."""

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import InstrumentedAttribute

from flaskart.accounts import postal, queries
from flaskart.accounts.errors import AddressBookFull
from flaskart.accounts.models import MAX_ADDRESSES, Address
from flaskart.accounts.postal import PostalAddress
from flaskart.kit import clock
from flaskart.kit.actor import Actor
from flaskart.kit.db import Session


def add_address(
    session: Session,
    actor: Actor,
    address: PostalAddress,
    *,
    is_default_shipping: bool = False,
    is_default_billing: bool = False,
) -> Address:
    """Put an address into the actor's book. A default of its kind before it is none any more.

    Raises:
        InvalidAddress: not one of its country.
        AddressBookFull: there are `MAX_ADDRESSES` already.
        AccountNotFound: erased a moment ago.
    """
    address = postal.checked(address)
    queries.lock_account(session, actor)  # whoever changes the same book waits: its size and defaults are exact
    if queries.count_addresses(session, actor) >= MAX_ADDRESSES:
        raise AddressBookFull(limit=MAX_ADDRESSES)
    now = clock.now()
    row = Address(
        customer_id=actor.customer_id,
        is_default_shipping=False,
        is_default_billing=False,
        created_at=now,
        updated_at=now,
        **asdict(address),
    )
    session.add(row)
    _choose_default(session, row, Address.is_default_shipping, is_default_shipping)
    _choose_default(session, row, Address.is_default_billing, is_default_billing)
    session.flush()
    return row


def edit_address(
    session: Session,
    actor: Actor,
    address_id: int,
    changes: Mapping[str, Any],
    *,
    is_default_shipping: bool | None = None,
    is_default_billing: bool | None = None,
) -> Address:
    """Change what is given of one of the actor's addresses; `changes` are named as in `PostalAddress`.

    Raises:
        AddressNotFound: no such address, or somebody else's.
        InvalidAddress: what comes out is not an address of its country.
        AccountNotFound: erased a moment ago.
    """
    queries.lock_account(session, actor)
    row = queries.get_address(session, actor, address_id)
    if changes:
        for name, value in asdict(postal.checked(replace(_postal(row), **changes))).items():
            setattr(row, name, value)
    _choose_default(session, row, Address.is_default_shipping, is_default_shipping)
    _choose_default(session, row, Address.is_default_billing, is_default_billing)
    row.updated_at = clock.now()
    session.flush()
    return row


def remove_address(session: Session, actor: Actor, address_id: int) -> None:
    """Take one of the actor's addresses out of the book.

    Raises:
        AddressNotFound: no such address, or somebody else's.
        AccountNotFound: erased a moment ago.
    """
    queries.lock_account(session, actor)
    session.delete(queries.get_address(session, actor, address_id))


def _postal(row: Address) -> PostalAddress:
    return PostalAddress(**{field.name: getattr(row, field.name) for field in fields(PostalAddress)})


def _choose_default(session: Session, row: Address, flag: InstrumentedAttribute[bool], chosen: bool | None) -> None:
    """Set or clear a flag that one address of a customer has at most; None leaves it as it is."""
    if chosen:
        own = Address.customer_id == row.customer_id
        session.execute(update(Address).where(own, flag).values({flag: False}))
    if chosen is not None:
        setattr(row, flag.key, chosen)
