"""The address book: what an address needs in its country, whose it is, and which one is the default."""

from datetime import UTC, datetime

import pytest
import time_machine
from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError

from flaskart.accounts.models import Address
from flaskart.kit.db import Database
from tests.accounts.sign_ins import problem, rows_of
from tests.callers import Caller, Make

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOME = {
    "name": "Alice Liddell",
    "lines": ["1600 Amphitheatre Parkway", "Apt. 4"],
    "city": "Mountain View",
    "region": "California",
    "postal_code": "94043",
    "country": "us",
    "phone": "(650) 253-0000",
}
SHOWN = {
    "name": "Alice Liddell",
    "company": "",
    "lines": ["1600 Amphitheatre Parkway", "Apt. 4"],
    "district": "",
    "city": "Mountain View",
    "region": "CA",
    "postal_code": "94043",
    "country": "US",
    "phone": "+16502530000",
    "phone_national": "(650) 253-0000",
    "is_default_shipping": False,
    "is_default_billing": False,
    "created_at": "2026-03-01T12:00:00Z",
    "updated_at": "2026-03-01T12:00:00Z",
}
BERLIN = {"name": "A", "lines": ["Unter den Linden 1"], "city": "Berlin", "postal_code": "10117", "country": "DE"}


def added(caller: Caller, **members: object) -> int:
    answer = caller.post("/account/addresses", BERLIN | members)
    assert answer.status == 201
    address_id: int = answer.json["address"]["id"]
    return address_id


def defaults(caller: Caller) -> tuple[list[int], list[int]]:
    """Return the ids of the default addresses, those for shipping and those for billing."""
    addresses = caller.get("/account/addresses").json["addresses"]
    shipping = [address["id"] for address in addresses if address["is_default_shipping"]]
    return shipping, [address["id"] for address in addresses if address["is_default_billing"]]


@time_machine.travel(NOON, tick=False)
def test_an_address_is_kept_in_its_country_s_form(make: Make) -> None:
    alice = make.customer()

    answer = alice.post("/account/addresses", HOME)

    assert answer.status == 201
    shown = SHOWN | {"id": answer.json["address"]["id"]}
    assert answer.json == {"msg": "Address added", "address": shown}
    assert alice.get("/account/addresses").json == {"addresses": [shown]}
    assert alice.get(f"/account/addresses/{shown['id']}").json == {"address": shown}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"country": "GB", "city": "London", "postal_code": "sw1a 1aa"}, {"postal_code": "SW1A 1AA", "city": "London"}),
        ({"country": "ie", "city": "Dublin", "postal_code": "d02 x285"}, {"postal_code": "D02 X285", "country": "IE"}),
        ({"country": "BR", "region": "são paulo", "city": "Campinas", "postal_code": "13083-970"}, {"region": "SP"}),
        ({"country": "JP", "region": "Tokyo", "postal_code": "100-0001", "city": "Chiyoda"}, {"region": "東京都"}),
        (
            {"country": "CN", "region": "Beijing Shi", "city": "dongcheng qu", "postal_code": "100006"},
            {"region": "北京市", "city": "东城区"},
        ),
        ({"country": "DE", "region": "Brandenburg"}, {"region": "Brandenburg"}),
        ({"country": "AE", "region": "Dubai", "postal_code": "00000"}, {"postal_code": "00000", "region": "إمارة دبيّ"}),
        ({"phone": "030 1234567"}, {"phone": "+49301234567", "phone_national": "030 1234567"}),
        ({"phone": "+1 650 253 0000"}, {"phone": "+16502530000", "phone_national": "(650) 253-0000"}),
        ({"phone": ""}, {"phone": "", "phone_national": ""}),
        ({"lines": ["  Unter den Linden 1 "]}, {"lines": ["Unter den Linden 1"]}),
    ],
)
def test_each_country_has_its_own_form(make: Make, given: dict[str, object], kept: dict[str, object]) -> None:
    alice = make.customer()

    answer = alice.post("/account/addresses", BERLIN | given)

    assert answer.status == 201, answer.json
    address = answer.json["address"]
    assert {name: address[name] for name in kept} == kept
    assert alice.get("/account/addresses").json["addresses"] == [address]


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, [("/name", "missing"), ("/country", "missing")]),
        (
            {"name": "A", "country": "US"},
            [("/lines", "missing"), ("/city", "missing"), ("/region", "missing"), ("/postal_code", "missing")],
        ),
        (HOME | {"region": "Bavaria"}, [("/region", "invalid_region")]),
        (HOME | {"postal_code": "9404"}, [("/postal_code", "invalid_postal_code")]),
        (HOME | {"postal_code": "10115"}, [("/postal_code", "invalid_postal_code")]),  # New York's
        (
            HOME | {"region": "", "postal_code": "x", "phone": "12"},
            [("/region", "missing"), ("/postal_code", "invalid_postal_code"), ("/phone", "invalid_phone")],
        ),
        (HOME | {"phone": "911"}, [("/phone", "invalid_phone")]),
        (HOME | {"phone": "+999 123456"}, [("/phone", "invalid_phone")]),
        (HOME | {"phone": "(650) 253-0000 ext. 7"}, [("/phone", "invalid_phone")]),
        (HOME | {"phone": "call me"}, [("/phone", "invalid_phone")]),
        (BERLIN | {"country": "XX"}, [("/country", "invalid_country")]),
        (BERLIN | {"country": "ZZ"}, [("/country", "invalid_country")]),
        (BERLIN | {"country": "DEU"}, [("/country", "string_pattern_mismatch")]),
        (BERLIN | {"country": "../"}, [("/country", "string_pattern_mismatch")]),
        (BERLIN | {"lines": ["x"] * 5}, [("/lines", "too_long")]),
        (BERLIN | {"lines": ["one\ntwo"]}, [("/lines/0", "string_pattern_mismatch")]),
        (BERLIN | {"lines": [""]}, [("/lines/0", "string_too_short")]),
        (BERLIN | {"name": "x" * 101}, [("/name", "string_too_long")]),
        (BERLIN | {"city": "Ber\0lin"}, [("/city", "control_character")]),
        (BERLIN | {"is_default_shipping": "yes"}, [("/is_default_shipping", "bool_type")]),
        (BERLIN | {"customer_id": 2}, [("/customer_id", "extra_forbidden")]),
    ],
)
def test_every_field_that_is_missing_or_wrong_is_named(
    make: Make, db: Database, body: dict[str, object], errors: list[tuple[str, str]]
) -> None:
    alice = make.customer()

    answer = alice.post("/account/addresses", body)

    assert answer.status == 422
    assert [(error["pointer"], error["code"]) for error in answer.json["errors"]] == errors
    assert rows_of(db, "address") == []


def test_what_becomes_longer_still_fits(make: Make) -> None:
    alice = make.customer()

    answer = alice.post("/account/addresses", BERLIN | {"phone": "+49 180 12345678901", "country": "DE"})
    other = alice.post("/account/addresses", BERLIN | {"country": "AQ", "postal_code": "ΐ" * 20})

    assert (answer.status, answer.json["address"]["phone"]) == (201, "+4918012345678901")
    assert (other.status, other.json["address"]["postal_code"]) == (201, "ΐ".upper() * 20)


@time_machine.travel(NOON, tick=False)
def test_what_is_given_changes_and_the_rest_stays(make: Make) -> None:
    alice = make.customer()
    address = alice.post("/account/addresses", HOME).json["address"]
    path = f"/account/addresses/{address['id']}"

    answer = alice.patch(path, {"region": "new york", "postal_code": "10115", "city": "New York", "phone": ""})

    expected = address | {"region": "NY", "postal_code": "10115", "city": "New York", "phone": "", "phone_national": ""}
    assert (answer.status, answer.json) == (200, {"msg": "Address updated", "address": expected})
    assert alice.get(path).json == {"address": expected}


def test_a_change_that_does_not_fit_the_rest_is_refused(make: Make, db: Database) -> None:
    alice = make.customer()
    path = f"/account/addresses/{added(alice)}"
    before = rows_of(db, "address")

    answers = [
        alice.patch(path, {"country": "US"}),
        alice.patch(path, {"lines": []}),
        alice.patch(path, {"city": None}),
    ]

    assert [answer.status for answer in answers] == [422, 422, 422]
    assert [[error["pointer"] for error in answer.json["errors"]] for answer in answers] == [
        ["/region"],
        ["/lines"],
        ["/city"],
    ]
    assert rows_of(db, "address") == before


def test_one_address_of_a_kind_is_the_default(make: Make) -> None:
    alice, bob = make.customer("alice"), make.customer("bob")
    of_bob = added(bob, is_default_shipping=True, is_default_billing=True)
    first = added(alice, is_default_shipping=True, is_default_billing=True)
    second = added(alice, is_default_shipping=True)
    third = added(alice)

    assert defaults(alice) == ([second], [first])
    assert alice.patch(f"/account/addresses/{third}", {"is_default_billing": True}).status == 200
    assert defaults(alice) == ([second], [third])
    assert alice.patch(f"/account/addresses/{third}", {"is_default_billing": True}).status == 200
    assert defaults(alice) == ([second], [third])
    assert alice.patch(f"/account/addresses/{second}", {"is_default_shipping": False}).status == 200
    assert defaults(alice) == ([], [third])
    assert alice.delete(f"/account/addresses/{third}").status == 200
    assert defaults(alice) == ([], [])
    assert defaults(bob) == ([of_bob], [of_bob])


@pytest.mark.parametrize("flag", ["is_default_shipping", "is_default_billing"])
def test_the_database_lets_nobody_have_two_defaults(make: Make, db: Database, flag: str) -> None:
    alice = make.customer()
    added(alice, **{flag: True})
    added(alice)

    with pytest.raises(IntegrityError), db.write() as session:
        session.execute(update(Address).values({flag: True}))


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PATCH", {"name": "Mallory"}), ("DELETE", None)])
def test_somebody_else_s_address_is_not_there(make: Make, db: Database, method: str, body: object) -> None:
    alice, mallory = make.customer("alice"), make.customer("mallory")
    address_id = added(alice)
    before = rows_of(db, "address")

    for path in (f"/account/addresses/{address_id}", "/account/addresses/99"):
        answer = mallory.call(method, path, body)

        assert (answer.status, answer.json) == (
            404,
            problem(404, "Not Found", "address_not_found", "Address not found"),
        )
    assert mallory.get("/account/addresses").json == {"addresses": []}
    assert rows_of(db, "address") == before


def test_who_is_not_signed_in_has_no_addresses(anyone: Caller) -> None:
    for method, path in (("GET", ""), ("POST", ""), ("GET", "/1"), ("PATCH", "/1"), ("DELETE", "/1")):
        assert anyone.call(method, f"/account/addresses{path}").status == 401


def test_a_book_is_full_with_fifty(make: Make, db: Database) -> None:
    alice = make.customer()
    added(alice)
    [row] = rows_of(db, "address")
    columns = {column.name for column in Address.__table__.columns} - {"id"}
    with db.write() as session:
        copied = {name: getattr(session.get_one(Address, row["id"]), name) for name in columns}
        session.execute(insert(Address), [copied] * 48)
    added(alice)

    answer = alice.post("/account/addresses", BERLIN)

    assert (answer.status, answer.json["code"], answer.json["limit"]) == (409, "address_book_full", 50)
    assert len(alice.get("/account/addresses").json["addresses"]) == 50


def test_a_deleted_account_leaves_no_address(make: Make, db: Database) -> None:
    alice, bob = make.customer("alice"), make.customer("bob")
    added(alice)
    of_bob = added(bob)

    assert alice.delete("/account").status == 200

    assert [row["id"] for row in rows_of(db, "address")] == [of_bob]


def test_a_lost_reply_is_not_a_second_address(make: Make, db: Database) -> None:
    alice = make.customer()

    answers = [alice.post("/account/addresses", HOME, Idempotency_Key="k") for _ in range(2)]

    assert [answer.status for answer in answers] == [201, 201]
    assert answers[0].body == answers[1].body
    assert len(rows_of(db, "address")) == 1
