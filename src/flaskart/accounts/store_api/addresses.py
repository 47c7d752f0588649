"""One's own address book."""

from flask import Response

from flaskart.accounts import actions, queries
from flaskart.accounts.errors import AccountNotFound, AddressBookFull, AddressNotFound, InvalidAddress
from flaskart.accounts.schemas import (
    AddressBook,
    AddressChange,
    AddressChanged,
    AddressOut,
    AddressPath,
    AddressShown,
    Done,
    NewAddress,
)
from flaskart.kit.actor import Actor
from flaskart.web.auth import person
from flaskart.web.http import db, show
from flaskart.web.idempotency import writing
from flaskart.web.openapi import answers, door

api = door("addresses", __name__, "/account/addresses", "addresses", "Where one wants parcels and bills.")


@api.get("", responses=answers(AddressBook))
@person
def list_addresses(actor: Actor) -> Response:
    """List one's addresses, the oldest first; there are 50 at most."""
    with db().read() as session:
        return show(AddressBook.of(queries.list_addresses(session, actor)))


@api.post("", responses=answers(AddressChanged, AccountNotFound, InvalidAddress, AddressBookFull, status=201))
@person
def add_address(actor: Actor, body: NewAddress) -> Response:
    """Add an address.

    Region and postal code are written as the post of the country does, the phone number as E.164 does.
    """
    with writing() as session:
        address = actions.add_address(
            session,
            actor,
            body.postal(),
            is_default_shipping=body.is_default_shipping,
            is_default_billing=body.is_default_billing,
        )
        return show(AddressChanged(msg="Address added", address=AddressOut.of(address)), 201)


@api.get("/<id:address_id>", responses=answers(AddressShown, AddressNotFound))
@person
def view_address(actor: Actor, path: AddressPath) -> Response:
    """View one of one's addresses."""
    with db().read() as session:
        return show(AddressShown(address=AddressOut.of(queries.get_address(session, actor, path.address_id))))


@api.patch("/<id:address_id>", responses=answers(AddressChanged, AccountNotFound, AddressNotFound, InvalidAddress))
@person
def edit_address(actor: Actor, path: AddressPath, body: AddressChange) -> Response:
    """Change one of one's addresses; one that becomes a default takes that from the one before."""
    with writing() as session:
        address = actions.edit_address(
            session,
            actor,
            path.address_id,
            body.changes(),
            is_default_shipping=body.is_default_shipping,
            is_default_billing=body.is_default_billing,
        )
        return show(AddressChanged(msg="Address updated", address=AddressOut.of(address)))


@api.delete("/<id:address_id>", responses=answers(Done, AccountNotFound, AddressNotFound))
@person
def remove_address(actor: Actor, path: AddressPath) -> Response:
    """Remove one of one's addresses."""
    with writing() as session:
        actions.remove_address(session, actor, path.address_id)
        return show(Done(msg="Address removed"))
