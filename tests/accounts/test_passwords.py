"""Which passwords are refused, how many are hashed at once, and that hashing tells nobody which accounts exist."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from argon2 import PasswordHasher

from flaskart.accounts.actions import issue_token
from flaskart.accounts.models import TokenPurpose
from flaskart.accounts.passwords import is_common, is_like_name
from flaskart.kit.db import Database
from flaskart.kit.slots import Slots
from flaskart.web.http import KEY
from flaskart.web.openapi import ShopApp
from tests.accounts.sign_ins import rows_of
from tests.callers import PASSWORD, Caller, Make
from tests.test_statement_counts import counted

ALICE = {"username": "alice", "email": "alice@example.com", "password": PASSWORD}


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collects what is hashed, which goes on as ever."""
    done: list[str] = []

    def watch(name: str) -> None:
        original = getattr(PasswordHasher, name)

        def watched(*arguments: Any, **options: Any) -> Any:
            done.append(name)
            return original(*arguments, **options)

        monkeypatch.setattr(PasswordHasher, name, watched)

    watch("hash")
    watch("verify")
    return done


@pytest.fixture
def full(app: ShopApp) -> Iterator[ShopApp]:
    """The app while as many passwords are hashed as may be, and nobody waits."""
    shop = app.extensions[KEY]
    busy = Slots(1, wait_seconds=0)
    app.extensions[KEY] = replace(shop, hashing=busy)
    with busy.take():
        yield app
    app.extensions[KEY] = shop


@pytest.mark.parametrize("password", ["password", "PASSWORD", "Password1", "12345678", "iloveyou", "ｐａｓｓｗｏｒｄ"])  # noqa: RUF001
def test_a_common_password_is_refused_whatever_its_case(anyone: Caller, db: Database, password: str) -> None:
    answer = anyone.post("/auth/register", ALICE | {"password": password})

    assert answer.status == 422
    assert [(error["pointer"], error["code"]) for error in answer.json["errors"]] == [("/password", "common_password")]
    assert rows_of(db, "customer") == []


def test_some_thousand_passwords_are_common_and_good_ones_are_not() -> None:
    assert all(is_common(password) for password in ("trustno1", "qwertyuiop", "11111111"))
    assert not any(is_common(password) for password in (PASSWORD, "correct horse battery staple", "password" * 2 + "!"))


@pytest.mark.parametrize("password", ["alice-in-chains", "xxALICExx", "alice@example.com", "my alice@example.com"])
def test_a_password_with_the_name_of_its_account_is_refused(anyone: Caller, db: Database, password: str) -> None:
    answer = anyone.post("/auth/register", ALICE | {"password": password})

    assert answer.status == 422
    assert [(error["pointer"], error["code"]) for error in answer.json["errors"]] == [
        ("/password", "password_like_name")
    ]
    assert rows_of(db, "customer") == []


def test_a_short_name_may_be_part_of_a_password() -> None:
    assert not is_like_name("a balloon", "a", "al", "all")
    assert is_like_name("all", "ALL")


def test_a_changed_password_is_looked_at_likewise(make: Make, db: Database) -> None:
    alice = make.customer("alice")
    before = rows_of(db, "customer")

    answers = [
        alice.post("/account/password", {"current_password": PASSWORD, "new_password": new})
        for new in ("iloveyou", "alice-in-chains")
    ]

    assert [(answer.status, answer.json["errors"][0]["pointer"]) for answer in answers] == [(422, "/new_password")] * 2
    assert [answer.json["errors"][0]["code"] for answer in answers] == ["common_password", "password_like_name"]
    assert rows_of(db, "customer") == before


@pytest.mark.parametrize("last", ["y", "X"])
def test_a_long_password_is_kept_whole(anyone: Caller, last: str) -> None:
    anyone.post("/auth/register", ALICE | {"password": "x" * 200})

    cut = anyone.post("/auth/login", {"username": "alice", "password": "x" * 199})
    other = anyone.post("/auth/login", {"username": "alice", "password": "x" * 199 + last})
    whole = anyone.post("/auth/login", {"username": "alice", "password": "x" * 200})

    assert (cut.status, other.status, whole.status) == (401, 401, 200)


def test_one_hash_is_computed_whether_an_account_exists_or_not(
    app: ShopApp, make: Make, anyone: Caller, hashed: list[str]
) -> None:
    make.customer("alice")
    anyone.post("/auth/login", {"username": "nobody", "password": PASSWORD})  # what is prepared once is prepared
    names = [("username", "alice"), ("username", "nobody"), ("email", "alice@example.com"), ("email", "n@example.com")]

    work = []
    for member, name in names:
        hashed.clear()
        with counted(app) as sent:
            answer = anyone.post("/auth/login", {member: name, "password": "wrong horse"})
        work.append((answer.status, answer.body, sent, list(hashed)))

    assert work[0][3] == ["verify"]
    assert work[0] == work[1] == work[2] == work[3]


def test_registering_computes_one_hash_whether_the_name_is_taken_or_not(
    make: Make, anyone: Caller, hashed: list[str]
) -> None:
    make.customer("alice")

    taken = anyone.post("/auth/register", ALICE)
    free = anyone.post("/auth/register", ALICE | {"username": "bob", "email": "bob@example.com"})

    assert (taken.status, free.status) == (409, 201)
    assert hashed == ["hash", "hash"]


def test_a_shop_that_hashes_as_many_passwords_as_it_may_says_try_again(
    make: Make, full: ShopApp, db: Database, hashed: list[str]
) -> None:
    alice = make.customer("alice")
    with db.write() as session:
        token = issue_token(session, alice.customer_id, TokenPurpose.RESET_PASSWORD)
    new = "another horse"
    before = make.everything()

    answers = [
        make.anyone().post("/auth/register", ALICE | {"username": "bob"}),
        make.anyone().post("/auth/login", {"username": "alice", "password": PASSWORD}),
        make.anyone().post("/auth/login", {"username": "nobody", "password": PASSWORD}),
        make.anyone().post("/auth/password/reset", {"token": token, "new_password": new}),
        alice.post("/account/password", {"current_password": PASSWORD, "new_password": new}),
        alice.post("/account/second-factor", {"current_password": PASSWORD}),
        alice.post("/account/second-factor/disable", {"current_password": PASSWORD, "otp": "123456"}),
        alice.post("/account/second-factor/recovery-codes", {"current_password": PASSWORD, "otp": "123456"}),
    ]

    assert {(answer.status, answer.json["code"]) for answer in answers} == {(503, "overloaded")}
    assert {answer.headers["Retry-After"] for answer in answers} == {"1"}
    assert hashed == []
    assert make.everything() == before
