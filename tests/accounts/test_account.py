"""Viewing, changing and deleting one's own account."""

from datetime import UTC, datetime

import pytest
import time_machine
from sqlalchemy import update

from flaskart.accounts.models import Customer
from flaskart.kit.db import Database
from tests.accounts.sign_ins import (
    EMAIL_TAKEN,
    INVALID_CREDENTIALS,
    UNAUTHENTICATED,
    USERNAME_TAKEN,
    is_alive,
    problem,
    refresh,
    register_and_sign_in,
    rows_of,
    sign_in,
)
from tests.callers import PASSWORD, Caller, Make

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ALICE = {
    "id": 1,
    "username": "alice",
    "email": "alice@example.com",
    "pending_email": None,
    "role": "customer",
    "is_email_verified": False,
    "has_second_factor": False,
    "created_at": "2026-03-01T12:00:00Z",
}


@pytest.fixture
def alice(make: Make) -> Caller:
    with time_machine.travel(NOON, tick=False):
        make.customer("alice")
    return sign_in(make, "alice").caller


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/account"), ("PATCH", "/account"), ("DELETE", "/account"), ("POST", "/account/password")],
)
def test_who_is_not_signed_in_has_no_account(
    anyone: Caller, alice: Caller, db: Database, method: str, path: str
) -> None:
    before = rows_of(db, "customer")

    answer = anyone.call(method, path)

    assert (answer.status, answer.json) == (401, UNAUTHENTICATED)
    assert rows_of(db, "customer") == before


def test_one_sees_ones_own_account(alice: Caller, make: Make) -> None:
    make.customer("bob")

    answer = alice.get("/account")

    assert (answer.status, answer.json) == (200, {"user": ALICE})


def test_staff_see_that_they_are_staff(make: Make) -> None:
    boss = make.staff("boss")

    answer = boss.get("/account")

    assert answer.json["user"]["role"] == "staff"


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"username": "ada"}, {"username": "ada"}),
        ({"username": "ALICE"}, {"username": "ALICE"}),
        ({"email": "ada@example.com"}, {"pending_email": "ada@example.com"}),
        ({"email": "Alice@example.com"}, {"email": "Alice@example.com"}),
        ({"username": "ada", "email": "ada@example.com"}, {"username": "ada", "pending_email": "ada@example.com"}),
        ({}, {}),
    ],
)
def test_what_is_given_changes_and_the_rest_stays(alice: Caller, change: dict[str, str], shown: dict[str, str]) -> None:
    answer = alice.patch("/account", change)

    assert answer.status == 200
    assert answer.json == {"msg": "Account updated", "user": ALICE | shown}
    assert alice.get("/account").json == {"user": ALICE | shown}


def test_one_signs_in_by_the_new_name_and_the_old_one_is_free(alice: Caller, anyone: Caller, make: Make) -> None:
    alice.patch("/account", {"username": "ada"})

    assert anyone.post("/auth/login", {"username": "alice", "password": PASSWORD}).json == INVALID_CREDENTIALS
    assert sign_in(make, "ada").caller.get("/account").json["user"]["id"] == 1
    free = {"username": "alice", "email": "another@example.com", "password": "another horse"}
    assert anyone.post("/auth/register", free).status == 201


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"username": "bob"}, USERNAME_TAKEN),
        ({"username": "BOB", "email": "new@example.com"}, USERNAME_TAKEN),
        ({"email": "bob@example.com"}, EMAIL_TAKEN),
        ({"username": "new", "email": "Bob@Example.com"}, EMAIL_TAKEN),
    ],
)
def test_what_somebody_else_has_cannot_be_taken(
    alice: Caller, make: Make, db: Database, change: dict[str, str], refusal: dict[str, object]
) -> None:
    make.customer("bob")
    before = rows_of(db, "customer")

    answer = alice.patch("/account", change)

    assert (answer.status, answer.json) == (409, refusal)
    assert rows_of(db, "customer") == before


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"username": ""}, "/username", "string_too_short"),
        ({"username": "a b"}, "/username", "username_characters"),
        ({"username": "a\0b"}, "/username", "control_character"),
        ({"email": "alice"}, "/email", "email"),
        ({"role": "staff"}, "/role", "extra_forbidden"),
        ({"password": "another horse"}, "/password", "extra_forbidden"),
        ({"is_email_verified": True}, "/is_email_verified", "extra_forbidden"),
    ],
)
def test_a_bad_change_is_named_and_changes_nothing(
    alice: Caller, db: Database, change: dict[str, object], pointer: str, code: str
) -> None:
    before = rows_of(db, "customer")

    answer = alice.patch("/account", change)

    assert answer.status == 422
    assert [(error["pointer"], error["code"]) for error in answer.json["errors"]] == [(pointer, code)]
    assert rows_of(db, "customer") == before


@pytest.mark.parametrize(
    ("email", "shown"),
    [("ada@example.com", "alice@example.com"), ("Alice@Example.com", "Alice@example.com")],
)
def test_a_verified_address_stays_so_until_another_one_is_confirmed(
    alice: Caller, db: Database, email: str, shown: str
) -> None:
    with db.write() as session:
        session.execute(update(Customer).values(email_verified_at=NOON))

    answer = alice.patch("/account", {"email": email})

    assert answer.json["user"]["email"] == shown
    assert answer.json["user"]["is_email_verified"] is True


def test_a_changed_password_replaces_the_old_one(alice: Caller, anyone: Caller, make: Make, db: Database) -> None:
    answer = alice.post("/account/password", {"current_password": PASSWORD, "new_password": "another horse"})

    assert (answer.status, answer.json) == (200, {"msg": "Password changed"})
    assert anyone.post("/auth/login", {"username": "alice", "password": PASSWORD}).json == INVALID_CREDENTIALS
    assert is_alive(make, sign_in(make, "alice", "another horse"))
    [row] = rows_of(db, "customer")
    assert str(row["password_hash"]).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_changed_password_ends_every_other_sign_in_but_not_ones_own(make: Make) -> None:
    phone = register_and_sign_in(make)
    laptop = sign_in(make)
    bob = register_and_sign_in(make, "bob")

    phone.caller.post("/account/password", {"current_password": PASSWORD, "new_password": "another horse"})

    assert is_alive(make, phone)
    assert not is_alive(make, laptop)
    assert is_alive(make, bob)


def test_a_wrong_current_password_is_named_and_changes_nothing(make: Make, db: Database) -> None:
    phone = register_and_sign_in(make)
    laptop = sign_in(make)
    before = rows_of(db, "customer")

    answer = phone.caller.post(
        "/account/password", {"current_password": "wrong horse", "new_password": "another horse"}
    )

    assert answer.status == 422
    assert answer.json == problem(
        422, "Unprocessable Entity", "wrong_password", "This is not your current password", "/current_password"
    )
    assert rows_of(db, "customer") == before
    assert is_alive(make, laptop)


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, [("/current_password", "missing"), ("/new_password", "missing")]),
        ({"current_password": PASSWORD, "new_password": "1234567"}, [("/new_password", "string_too_short")]),
        ({"current_password": PASSWORD, "new_password": "x" * 1_025}, [("/new_password", "string_too_long")]),
        ({"current_password": "", "new_password": "another horse"}, [("/current_password", "string_too_short")]),
    ],
)
def test_a_bad_new_password_is_named_and_changes_nothing(
    alice: Caller, db: Database, body: dict[str, str], errors: list[tuple[str, str]]
) -> None:
    before = rows_of(db, "customer")

    answer = alice.post("/account/password", body)

    assert answer.status == 422
    assert [(error["pointer"], error["code"]) for error in answer.json["errors"]] == errors
    assert rows_of(db, "customer") == before


def test_a_deleted_account_ends_every_sign_in_and_lets_nobody_in(anyone: Caller, make: Make) -> None:
    phone = register_and_sign_in(make)
    laptop = sign_in(make)
    bob = register_and_sign_in(make, "bob")

    answer = phone.caller.delete("/account")

    assert (answer.status, answer.json) == (200, {"msg": "Account deleted"})
    assert not is_alive(make, phone)
    assert not is_alive(make, laptop)
    assert is_alive(make, bob)
    for member, name in (("username", "alice"), ("email", "alice@example.com"), ("username", "@erased-1")):
        refused = anyone.post("/auth/login", {member: name, "password": PASSWORD})
        assert (refused.status, refused.json) == (401, INVALID_CREDENTIALS)


def test_a_deleted_account_is_gone_for_its_tokens(make: Make) -> None:
    alice = register_and_sign_in(make)
    alice.caller.delete("/account")

    again, refreshed = alice.caller.delete("/account"), refresh(make, alice.refresh_token)

    assert (again.status, again.json["code"]) == (401, "invalid_token")
    assert (refreshed.status, refreshed.json["code"]) == (401, "invalid_refresh_token")


def test_deleting_an_account_erases_the_person_from_its_row(make: Make, db: Database) -> None:
    alice = register_and_sign_in(make)
    with time_machine.travel(NOON, tick=False):
        make.customer("bob")
    [_, bob_before] = rows_of(db, "customer")

    alice.caller.delete("/account")

    [erased, bob] = rows_of(db, "customer")
    assert erased["username"] == erased["username_folded"] == "@erased-1"
    assert erased["email"] == erased["email_folded"] == "@erased-1"
    assert erased["password_hash"] == ""
    assert erased["email_verified_at"] is None
    assert erased["erased_at"] is not None
    assert "alice" not in str(erased)
    assert bob == bob_before


def test_the_orders_of_a_deleted_account_stay_for_the_books(make: Make, db: Database) -> None:
    mug = make.product("Mug", price="19.99", stock=5)
    alice = make.customer("alice")
    alice.post("/cart", {"product_id": mug, "quantity": 2})
    assert alice.post("/orders").status == 201
    before = [rows_of(db, table) for table in ("order_line", "order_event")]

    answer = alice.delete("/account")

    assert answer.status == 200
    assert [rows_of(db, table) for table in ("order_line", "order_event")] == before
    assert [(order["total_minor"], order["email"]) for order in rows_of(db, "order")] == [(3998, "@erased-1")]
    assert make.stock_of(mug) == 3


def test_the_name_of_a_deleted_account_is_free_and_brings_nothing_of_it_back(anyone: Caller, make: Make) -> None:
    mug = make.product("Mug", stock=5)
    alice = make.customer("alice")
    alice.post("/cart", {"product_id": mug})
    assert alice.post("/orders").status == 201
    alice.post("/cart", {"product_id": mug})
    alice.delete("/account")

    registered = anyone.post(
        "/auth/register", {"username": "alice", "email": "alice@example.com", "password": "another horse"}
    )

    assert registered.status == 201
    assert registered.json["user"]["id"] != alice.customer_id
    successor = sign_in(make, "alice", "another horse").caller
    assert successor.get("/orders").json["orders"] == []
    assert successor.get("/cart").json["cart"] == []
    assert anyone.post("/auth/login", {"username": "alice", "password": PASSWORD}).json == INVALID_CREDENTIALS
