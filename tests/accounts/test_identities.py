"""The providers that are linked to an account: by its owner, and not its last way in."""

from threading import Thread

import pytest
from sqlalchemy import update

from flaskart.accounts.models import Customer
from flaskart.kit.db import Database
from tests.accounts.oidc_provider import REDIRECT_URI, person
from tests.accounts.sign_ins import rows_of
from tests.accounts.social import LINK, SIGN_IN, Social, verify
from tests.callers import Caller


def identities_of(caller: Caller) -> list[int]:
    return [identity["id"] for identity in caller.get("/account/identities").json["identities"]]


def test_a_linked_provider_lets_into_the_account(social: Social, db: Database) -> None:
    bob = social.make.customer("bob")
    verify(db, "bob")

    linked = social.link(bob, as_=person("ada"))

    assert linked.status == 200
    assert linked.json["msg"] == "Provider linked"
    shown = bob.get("/account/identities").json
    assert shown == {"identities": [linked.json["identity"]], "has_password": True}
    assert set(linked.json["identity"]) == {"id", "provider", "created_at"}
    assert social.signed_in(social.sign_in()).get("/account").json["user"]["id"] == bob.customer_id


def test_linking_twice_changes_nothing(social: Social, db: Database) -> None:
    bob = social.make.customer("bob")
    verify(db, "bob")
    first = social.link(bob)
    before = social.make.everything()

    again = social.link(bob)

    assert again.json == first.json
    assert social.make.everything() == before


def test_an_unverified_address_has_nothing_linked_to_it(social: Social, db: Database) -> None:
    """Somebody who registers with another one's address would keep a way in when the owner resets the password."""
    bob = social.make.customer("bob")
    before = social.make.everything()

    refused = bob.post(f"{LINK}/start", {"redirect_uri": REDIRECT_URI})

    assert (refused.status, refused.json["code"]) == (409, "link_needs_verified_email")
    assert social.make.everything() == before


def test_an_address_that_lost_its_proof_meanwhile_has_nothing_linked_to_it(social: Social, db: Database) -> None:
    bob = social.make.customer("bob")
    verify(db, "bob")
    callback = social.come_back(social.start(bob, LINK))
    with db.write() as session:
        session.execute(update(Customer).where(Customer.id == bob.customer_id).values(email_verified_at=None))

    refused = bob.post(f"{LINK}/finish", callback)

    assert (refused.status, refused.json["code"]) == (409, "link_needs_verified_email")
    assert rows_of(db, "external_identity") == []


def test_what_lets_into_one_account_is_not_linked_to_another(social: Social, db: Database) -> None:
    social.sign_in(as_=person("ada"))
    bob = social.make.customer("bob")
    verify(db, "bob")
    before = social.make.everything()

    refused = social.link(bob)

    assert (refused.status, refused.json["code"]) == (409, "identity_taken")
    assert social.make.everything() == before


def test_a_callback_links_only_the_account_that_started_it(social: Social, db: Database) -> None:
    bob, eve = social.make.customer("bob"), social.make.customer("eve")
    verify(db, "bob")
    verify(db, "eve")
    of_eve = social.come_back(social.start(eve, LINK))
    to_sign_in = social.come_back(social.start(eve))

    refused = [
        bob.post(f"{LINK}/finish", of_eve),
        bob.post(f"{SIGN_IN}/finish", of_eve),
        bob.post(f"{LINK}/finish", to_sign_in),
    ]

    assert [(answer.status, answer.json["code"]) for answer in refused] == [(422, "invalid_sign_in_flow")] * 3
    assert rows_of(db, "external_identity") == []
    assert eve.post(f"{LINK}/finish", of_eve).status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/account/identities"),
        ("POST", f"{LINK}/start"),
        ("POST", f"{LINK}/finish"),
        ("DELETE", "/account/identities/1"),
    ],
)
def test_who_is_not_signed_in_links_nothing(anyone: Caller, method: str, path: str) -> None:
    assert anyone.call(method, path).status == 401


def test_a_provider_is_removed_from_an_account_with_a_password(social: Social, db: Database) -> None:
    bob = social.make.customer("bob")
    verify(db, "bob")
    identity_id = social.link(bob, as_=person("ada")).json["identity"]["id"]

    removed = bob.delete(f"/account/identities/{identity_id}")

    assert (removed.status, removed.json) == (200, {"msg": "Provider removed"})
    assert identities_of(bob) == []
    assert bob.delete(f"/account/identities/{identity_id}").json["code"] == "identity_not_found"
    assert social.signed_in(social.sign_in()).get("/account").json["user"]["id"] != bob.customer_id


def test_the_last_way_in_is_not_removed(social: Social) -> None:
    ada = social.signed_in(social.sign_in(as_=person("ada")))
    [identity_id] = identities_of(ada)
    before = social.make.everything()

    refused = ada.delete(f"/account/identities/{identity_id}")

    assert (refused.status, refused.json["code"]) == (409, "last_way_in")
    assert social.make.everything() == before


def test_of_two_ways_in_removed_at_once_one_stays(social: Social) -> None:
    ada = social.signed_in(social.sign_in(as_=person("ada")))
    social.link(ada, as_=person("ada", sub="another of hers"))
    removing = [
        Thread(target=ada.delete, args=[f"/account/identities/{identity_id}"]) for identity_id in identities_of(ada)
    ]

    for thread in removing:
        thread.start()
    for thread in removing:
        thread.join()

    assert len(identities_of(ada)) == 1


def test_another_accounts_provider_is_not_found(social: Social, db: Database) -> None:
    social.sign_in(as_=person("ada"))
    [identity] = rows_of(db, "external_identity")
    eve = social.make.customer("eve")

    refused = eve.delete(f"/account/identities/{identity['id']}")

    assert (refused.status, refused.json["code"]) == (404, "identity_not_found")
    assert rows_of(db, "external_identity") == [identity]
    assert identities_of(eve) == []
