"""Signing in with a password."""

import pytest
from argon2 import PasswordHasher
from sqlalchemy import update

from flaskart.accounts.models import Customer
from flaskart.kit.db import Database
from tests.accounts.sign_ins import INVALID_CREDENTIALS, is_alive, rows_of, sign_in
from tests.callers import PASSWORD, Caller, Make

TODAY = "$argon2id$v=19$m=19456,t=2,p=1$"


def test_a_sign_in_hands_out_a_pair_of_bearer_tokens(anyone: Caller, make: Make) -> None:
    make.customer("alice")

    answer = anyone.post("/auth/login", {"username": "alice", "password": PASSWORD})

    assert answer.status == 200
    assert set(answer.json) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert answer.json["token_type"] == "Bearer"
    assert answer.json["expires_in"] == 900
    assert len(answer.json["refresh_token"]) == 43  # 256 random bits in base64url
    assert Caller(anyone.send, answer.json["access_token"]).get("/account").json["user"]["username"] == "alice"


def test_no_cache_keeps_tokens(anyone: Caller, make: Make) -> None:
    make.customer("alice")

    answer = anyone.post("/auth/login", {"username": "alice", "password": PASSWORD})

    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("member", "name"),
    [
        ("username", "alice"),
        ("username", "ALICE"),
        ("username", " alice "),
        ("username", "alice@example.com"),
        ("email", "alice@example.com"),
        ("email", "Alice@Example.COM"),
    ],
)
def test_username_and_email_address_both_name_the_account(anyone: Caller, make: Make, member: str, name: str) -> None:
    make.customer("bob")
    make.customer("alice")

    answer = anyone.post("/auth/login", {member: name, "password": PASSWORD})

    assert answer.status == 200
    assert Caller(anyone.send, answer.json["access_token"]).get("/account").json["user"]["username"] == "alice"


def test_a_wrong_password_and_an_unknown_account_are_answered_alike(anyone: Caller, make: Make, db: Database) -> None:
    make.customer("alice")
    before = rows_of(db, "refresh_token")

    wrong = anyone.post("/auth/login", {"username": "alice", "password": "wrong horse"})
    unknown = anyone.post("/auth/login", {"username": "nobody", "password": PASSWORD})
    unknown_email = anyone.post("/auth/login", {"email": "nobody@example.com", "password": PASSWORD})

    assert wrong.status == unknown.status == unknown_email.status == 401
    assert wrong.json == INVALID_CREDENTIALS
    assert wrong.body == unknown.body == unknown_email.body
    assert wrong.headers["WWW-Authenticate"] == "Bearer"
    assert rows_of(db, "refresh_token") == before


@pytest.mark.parametrize("password", ["Correct horse", "correct horse ", " correct horse", "correct hors", "x" * 1_024])
def test_a_password_that_is_nearly_right_is_wrong(anyone: Caller, make: Make, password: str) -> None:
    make.customer("alice")

    answer = anyone.post("/auth/login", {"username": "alice", "password": password})

    assert answer.status == 401
    assert answer.json == INVALID_CREDENTIALS


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        pytest.param({"username": "alice"}, [("/password", "missing")], id="no password"),
        pytest.param({"username": "alice", "password": ""}, [("/password", "string_too_short")], id="empty password"),
        pytest.param({"password": PASSWORD}, [("", "login_name")], id="no name"),
        pytest.param(
            {"username": "alice", "email": "alice@example.com", "password": PASSWORD},
            [("", "login_name")],
            id="two names",
        ),
        pytest.param({"username": "", "password": PASSWORD}, [("/username", "string_too_short")], id="empty username"),
        pytest.param({"username": 1, "password": PASSWORD}, [("/username", "string_type")], id="number as username"),
        pytest.param(
            {"username": "al\0ice", "password": PASSWORD}, [("/username", "control_character")], id="NUL in username"
        ),
        pytest.param({"email": "al\0@b.c", "password": PASSWORD}, [("/email", "control_character")], id="NUL in email"),
        pytest.param({"username": "a" * 255, "password": PASSWORD}, [("/username", "string_too_long")], id="long name"),
        pytest.param(
            {"username": "alice", "password": PASSWORD, "remember": True},
            [("/remember", "extra_forbidden")],
            id="unknown member",
        ),
    ],
)
def test_credentials_that_cannot_be_are_refused_field_by_field(
    anyone: Caller, make: Make, db: Database, body: dict[str, object], errors: list[tuple[str, str]]
) -> None:
    make.customer("alice")
    before = rows_of(db, "refresh_token")

    answer = anyone.post("/auth/login", body)

    assert answer.status == 422
    assert [(error["pointer"], error["code"]) for error in answer.json["errors"]] == errors
    assert rows_of(db, "refresh_token") == before


@pytest.mark.parametrize(
    "older",
    [
        pytest.param(PasswordHasher(memory_cost=8_192, time_cost=2, parallelism=1), id="less memory"),
        pytest.param(PasswordHasher(memory_cost=19_456, time_cost=1, parallelism=1), id="fewer passes"),
    ],
)
def test_a_hash_of_weaker_parameters_is_renewed_at_sign_in(make: Make, db: Database, older: PasswordHasher) -> None:
    alice = make.customer("alice")
    bob = make.customer("bob")
    weak = older.hash(PASSWORD)
    with db.write() as session:
        session.execute(update(Customer).values(password_hash=weak))

    sign_in(make, "alice")

    hashes = {row["id"]: str(row["password_hash"]) for row in rows_of(db, "customer")}
    assert hashes[alice.customer_id].startswith(TODAY)
    assert hashes[bob.customer_id] == weak
    assert is_alive(make, sign_in(make, "alice"))


def test_a_refused_sign_in_renews_no_hash(anyone: Caller, make: Make, db: Database) -> None:
    make.customer("alice")
    weak = PasswordHasher(memory_cost=8_192, time_cost=1, parallelism=1).hash(PASSWORD)
    with db.write() as session:
        session.execute(update(Customer).values(password_hash=weak))

    answer = anyone.post("/auth/login", {"username": "alice", "password": "wrong horse"})

    assert answer.status == 401
    assert [row["password_hash"] for row in rows_of(db, "customer")] == [weak]


def test_a_hash_of_todays_parameters_stays_as_it_is(make: Make, db: Database) -> None:
    make.customer("alice")
    before = rows_of(db, "customer")

    sign_in(make, "alice")

    assert rows_of(db, "customer") == before


def test_two_sign_ins_of_one_account_live_side_by_side(make: Make) -> None:
    make.customer("alice")

    phone, laptop = sign_in(make), sign_in(make)

    assert phone.refresh_token != laptop.refresh_token
    assert is_alive(make, phone)
    assert is_alive(make, laptop)


@pytest.mark.parametrize("password", ["a password that no account has", " ", PASSWORD])
def test_no_password_opens_an_account_that_has_none(anyone: Caller, make: Make, db: Database, password: str) -> None:
    """Not even the one that is verified in the place of nobody's."""
    make.customer("alice")
    with db.write() as session:
        session.execute(update(Customer).values(password_hash=""))

    refused = anyone.post("/auth/login", {"username": "alice", "password": password})

    assert (refused.status, refused.json) == (401, INVALID_CREDENTIALS)
