"""Opening an account."""

from datetime import UTC, datetime

import pytest
import time_machine

from flaskart.kit.db import Database
from tests.accounts.sign_ins import EMAIL_TAKEN, USERNAME_TAKEN, rows_of, sign_in
from tests.callers import Caller, Make

ALICE = {"username": "alice", "email": "alice@example.com", "password": "correct horse"}


def test_a_registration_answers_with_the_account_and_no_secret(anyone: Caller) -> None:
    with time_machine.travel(datetime(2026, 3, 1, 12, 0, tzinfo=UTC), tick=False):
        answer = anyone.post("/auth/register", ALICE)

    assert answer.status == 201
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json == {
        "msg": "User registered successfully",
        "user": {
            "id": 1,
            "username": "alice",
            "email": "alice@example.com",
            "pending_email": None,
            "role": "customer",
            "is_email_verified": False,
            "has_second_factor": False,
            "created_at": "2026-03-01T12:00:00Z",
        },
    }


def test_whoever_registered_can_sign_in(anyone: Caller, make: Make) -> None:
    anyone.post("/auth/register", ALICE)

    alice = sign_in(make, "alice", "correct horse")

    assert alice.caller.get("/account").json["user"]["username"] == "alice"


def test_a_password_is_kept_only_as_an_argon2id_hash_at_the_recommended_cost(anyone: Caller, db: Database) -> None:
    anyone.post("/auth/register", ALICE)

    [row] = rows_of(db, "customer")
    assert str(row["password_hash"]).startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert "correct horse" not in str(row)


def test_equal_passwords_are_hashed_with_different_salts(anyone: Caller, db: Database) -> None:
    anyone.post("/auth/register", ALICE)
    anyone.post("/auth/register", ALICE | {"username": "bob", "email": "bob@example.com"})

    first, second = rows_of(db, "customer")
    assert first["password_hash"] != second["password_hash"]


@pytest.mark.parametrize(
    ("taken", "wanted"),
    [("alice", "alice"), ("alice", "ALICE"), ("Alice", "aLiCe"), ("straße", "STRASSE"), ("alice", "ａｌｉｃｅ")],  # noqa: RUF001
)
def test_a_username_is_taken_whatever_its_case(anyone: Caller, db: Database, taken: str, wanted: str) -> None:
    anyone.post("/auth/register", ALICE | {"username": taken})
    before = rows_of(db, "customer")

    answer = anyone.post("/auth/register", ALICE | {"username": wanted, "email": "other@example.com"})

    assert answer.status == 409
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json == USERNAME_TAKEN
    assert rows_of(db, "customer") == before


@pytest.mark.parametrize("wanted", ["alice@example.com", "ALICE@example.com", "Alice@EXAMPLE.com"])
def test_an_email_address_is_taken_whatever_its_case(anyone: Caller, db: Database, wanted: str) -> None:
    anyone.post("/auth/register", ALICE)
    before = rows_of(db, "customer")

    answer = anyone.post("/auth/register", ALICE | {"username": "bob", "email": wanted})

    assert answer.status == 409
    assert answer.json == EMAIL_TAKEN
    assert rows_of(db, "customer") == before


def test_every_missing_field_is_named_at_once(anyone: Caller, db: Database) -> None:
    answer = anyone.post("/auth/register", {})

    assert answer.status == 422
    assert answer.json["code"] == "invalid_input"
    assert answer.json["msg"] == answer.json["detail"] == "Some fields are not valid"
    assert answer.json["errors"] == [
        {"pointer": "/username", "detail": "Field required", "code": "missing"},
        {"pointer": "/email", "detail": "Field required", "code": "missing"},
        {"pointer": "/password", "detail": "Field required", "code": "missing"},
    ]
    assert rows_of(db, "customer") == []


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        pytest.param("username", "", "string_too_short", id="empty username"),
        pytest.param("username", "   ", "string_too_short", id="blank username"),
        pytest.param("username", "a" * 65, "string_too_long", id="long username"),
        pytest.param("username", "ﷺ" * 10, "string_too_long", id="username long once normalized"),
        pytest.param("username", "al ice", "username_characters", id="space in username"),
        pytest.param("username", "alice@example.com", "username_characters", id="at sign in username"),
        pytest.param("username", "alice＠home", "username_characters", id="wide at sign in username"),  # noqa: RUF001
        pytest.param("username", "al\nice", "string_pattern_mismatch", id="line break in username"),
        pytest.param("username", "al\0ice", "control_character", id="NUL in username"),
        pytest.param("username", "al\x1bice", "control_character", id="escape in username"),
        pytest.param("username", 5, "string_type", id="number as username"),
        pytest.param("username", None, "string_type", id="null as username"),
        pytest.param("email", "", "email", id="empty email"),
        pytest.param("email", "alice", "email", id="email without at sign"),
        pytest.param("email", "alice@", "email", id="email without domain"),
        pytest.param("email", "al ice@example.com", "email", id="space in email"),
        pytest.param("email", "al\0ice@example.com", "email", id="NUL in email"),
        pytest.param(
            "email", f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}", "string_too_long", id="long email"
        ),
        pytest.param("email", ["alice@example.com"], "string_type", id="list as email"),
        pytest.param("password", "1234567", "string_too_short", id="short password"),
        pytest.param("password", "x" * 1_025, "string_too_long", id="long password"),
        pytest.param("password", 12_345_678, "string_type", id="number as password"),
        pytest.param("role", "staff", "extra_forbidden", id="a role of one's choice"),
        pytest.param("is_email_verified", True, "extra_forbidden", id="a verified address of one's choice"),
    ],
)
def test_a_bad_field_is_named_and_no_account_is_opened(
    anyone: Caller, db: Database, field: str, value: object, code: str
) -> None:
    answer = anyone.post("/auth/register", ALICE | {field: value})

    assert answer.status == 422
    assert [(error["pointer"], error["code"]) for error in answer.json["errors"]] == [(f"/{field}", code)]
    assert rows_of(db, "customer") == []


@pytest.mark.parametrize(
    ("username", "shown"),
    [
        ("  alice ", "alice"),
        ("a" * 64, "a" * 64),
        ("Ada", "Ada"),
        ("ａｄａ", "ada"),  # noqa: RUF001
        ("ﬁona", "fiona"),
        ("名前", "名前"),
    ],
)
def test_a_username_is_trimmed_and_normalized_and_keeps_its_case(anyone: Caller, username: str, shown: str) -> None:
    answer = anyone.post("/auth/register", ALICE | {"username": username})

    assert answer.status == 201
    assert answer.json["user"]["username"] == shown


@pytest.mark.parametrize(
    "password", ["8 4 2 6 ", "x" * 1_024, "pässwörd ✓ 名前", "  spaces count  ", "nul\0 is a byte"]
)
def test_a_password_may_be_any_text_of_8_to_1024_characters(anyone: Caller, make: Make, password: str) -> None:
    answer = anyone.post("/auth/register", ALICE | {"password": password})

    assert answer.status == 201
    assert sign_in(make, "alice", password).caller.get("/account").status == 200
    assert anyone.post("/auth/login", {"username": "alice", "password": password[1:]}).status == 401
