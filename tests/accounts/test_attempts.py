"""Guessing: after ten failures one waits, and no stranger's failures keep an owner out who was there before."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import time_machine

from flaskart.app import create_app
from flaskart.kit.db import Database
from flaskart.kit.errors import DatabaseBusy
from flaskart.web.attempts import SIGN_IN, attempt, trust_network
from flaskart.web.http import KEY
from tests.accounts.sign_ins import INVALID_CREDENTIALS, rows_of
from tests.callers import PASSWORD, Answer, Make, MakeWith
from tests.conftest import settings_of

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WRONG = "wrong horse"
HOME, CAFE = "198.51.100.7", "198.51.100.8"
TOO_MANY = {
    "type": "urn:flaskart:problem:too_many_attempts",
    "title": "Too Many Requests",
    "status": 429,
    "detail": "Too many attempts; try again later",
    "code": "too_many_attempts",
    "msg": "Too many attempts; try again later",
}


@pytest.fixture
def guarded(make_with: MakeWith) -> Make:
    """A shop behind a proxy, so that its callers can be anywhere."""
    return make_with(rate_limits="on", trusted_proxies=1)


def log_in(shop: Make, name: str = "alice", password: str = WRONG, *, at: str = HOME) -> Answer:
    return shop.anyone().post("/auth/login", {"username": name, "password": password}, X_Forwarded_For=at)


def attack(shop: Make, name: str = "alice") -> None:
    """Fail from a hundred networks, until nobody of them is let in any more."""
    statuses = [log_in(shop, name, at=f"203.0.113.{n}").status for n in range(12)]
    assert statuses == [401] * 10 + [429] * 2


def test_the_eleventh_guess_at_an_account_waits_wherever_it_comes_from(guarded: Make) -> None:
    guarded.customer("alice")
    guarded.customer("bob")
    with time_machine.travel(NOON, tick=False) as now:
        failed = [log_in(guarded, at=f"203.0.113.{n}") for n in range(10)]
        now.shift(60)

        refused = log_in(guarded, password=PASSWORD, at="203.0.113.99")

        assert [answer.json for answer in failed] == [INVALID_CREDENTIALS] * 10
        assert (refused.status, refused.json) == (429, TOO_MANY | {"retry_after_seconds": 240})
        assert refused.headers["Retry-After"] == "240"
        assert log_in(guarded, "bob", PASSWORD, at="203.0.113.99").status == 200
        now.shift(240)
        assert log_in(guarded, password=PASSWORD, at="203.0.113.99").status == 200


def test_the_eleventh_guess_from_a_network_waits_whatever_it_is_at(guarded: Make) -> None:
    guarded.customer("alice")

    failed = [log_in(guarded, f"nobody{n}") for n in range(10)]
    refused = log_in(guarded, password=PASSWORD)

    assert [answer.status for answer in failed] == [401] * 10
    assert (refused.status, refused.json["code"]) == (429, "too_many_attempts")
    assert log_in(guarded, password=PASSWORD, at=CAFE).status == 200


def test_an_unknown_account_is_refused_like_a_known_one(guarded: Make) -> None:
    guarded.customer("alice")
    with time_machine.travel(NOON, tick=False):
        answers = {
            name: [log_in(guarded, name, at=f"203.0.{n}.{number}") for number in range(11)]
            for n, name in enumerate(("alice", "nobody"))
        }

    assert [answer.body for answer in answers["alice"]] == [answer.body for answer in answers["nobody"]]


def test_an_account_has_one_counter_however_its_name_is_written(guarded: Make) -> None:
    guarded.customer("alice")
    names = ["alice", "ALICE", " Alice ", "\uff41lice"]

    statuses = [log_in(guarded, names[n % 4], at=f"203.0.113.{n}").status for n in range(11)]

    assert statuses == [401] * 10 + [429]


def test_a_success_is_no_failure_and_forgets_those_at_the_account(guarded: Make) -> None:
    guarded.customer("alice")

    for cafe in (CAFE, "198.51.100.9"):
        assert [log_in(guarded, at=f"203.0.113.{n}").status for n in range(9)] == [401] * 9
        assert log_in(guarded, password=PASSWORD, at=cafe).status == 200


def test_an_account_of_one_s_own_does_not_buy_guesses_at_others(guarded: Make) -> None:
    guarded.customer("mallory")

    statuses = []
    for number in range(12):
        statuses.append(log_in(guarded, f"victim{number}").status)
        assert log_in(guarded, "mallory", PASSWORD, at=HOME).status in (200, 429)

    assert statuses == [401] * 10 + [429] * 2


def test_no_stranger_keeps_an_owner_out_who_was_there_before(guarded: Make) -> None:
    guarded.customer("alice")
    assert log_in(guarded, password=PASSWORD).status == 200
    attack(guarded)

    assert log_in(guarded, password=PASSWORD, at=CAFE).status == 429
    assert [log_in(guarded, password=PASSWORD).status for _ in range(20)] == [200] * 20
    assert log_in(guarded).status == 401


def test_a_neighbour_who_guesses_keeps_nobody_out_who_was_there_before(guarded: Make) -> None:
    guarded.customer("alice")
    assert log_in(guarded, password=PASSWORD).status == 200
    assert [log_in(guarded, f"victim{n}").status for n in range(11)] == [401] * 10 + [429]

    assert log_in(guarded, password=PASSWORD).status == 200


def test_a_network_that_is_known_is_limited_too(guarded: Make) -> None:
    guarded.customer("alice")
    assert log_in(guarded, password=PASSWORD).status == 200

    statuses = [log_in(guarded).status for _ in range(11)]

    assert statuses == [401] * 10 + [429]
    assert log_in(guarded, password=PASSWORD, at=CAFE).status == 200


def test_an_owner_who_proved_it_by_mail_gets_in_however_strangers_try(guarded: Make, database_url: str) -> None:
    guarded.customer("alice")
    attack(guarded)
    assert log_in(guarded, password=PASSWORD).status == 429
    process = create_app(settings_of(database_url, rate_limits="on"))

    with process.test_request_context(environ_base={"REMOTE_ADDR": HOME}):
        trust_network(SIGN_IN, account="alice")

    process.extensions[KEY].db.close()
    assert log_in(guarded, password=PASSWORD).status == 200
    assert log_in(guarded, password=PASSWORD, at=CAFE).status == 429


def register(shop: Make, number: int) -> Answer:
    body = {"username": f"alice{number}", "email": f"alice{number}@example.com", "password": "another horse"}
    return shop.anyone().post("/auth/register", body, X_Forwarded_For=HOME)


def refresh(shop: Make, number: int) -> Answer:
    return shop.anyone().post("/auth/refresh", {"refresh_token": f"made up {number}"}, X_Forwarded_For=HOME)


@pytest.mark.parametrize(
    ("call", "status", "times"),
    [(register, 201, 10), (refresh, 401, 100)],
    ids=["registrations", "refreshes with a bad token"],
)
def test_other_doors_are_guarded_as_well(
    make_with: MakeWith, call: Callable[[Make, int], Answer], status: int, times: int
) -> None:
    shop = make_with(rate_limits="on", rate_limit_storage="memory", trusted_proxies=1)

    answers = [call(shop, number) for number in range(times + 1)]

    assert [answer.status for answer in answers] == [status] * times + [429]
    assert answers[-1].json["code"] == "too_many_attempts"


def test_a_good_refresh_is_never_counted(make_with: MakeWith) -> None:
    shop = make_with(rate_limits="on", rate_limit_failures="1/minute")
    shop.customer("alice")
    token = log_in(shop, password=PASSWORD).json["refresh_token"]

    for _ in range(12):
        answer = shop.anyone().post("/auth/refresh", {"refresh_token": token})
        assert answer.status == 200
        token = answer.json["refresh_token"]


def test_a_stolen_access_token_does_not_find_the_password(guarded: Make) -> None:
    alice = guarded.customer("alice")

    def change(current: str) -> int:
        return alice.post("/account/password", {"current_password": current, "new_password": "another horse"}).status

    assert [change("wrong horse") for _ in range(11)] == [422] * 10 + [429]
    assert change(PASSWORD) == 429
    assert log_in(guarded, password=PASSWORD).status == 200


def test_what_is_not_even_a_try_is_not_counted(guarded: Make) -> None:
    guarded.customer("alice")

    malformed = [guarded.anyone().post("/auth/login", {"username": "alice"}, X_Forwarded_For=HOME) for _ in range(12)]

    assert [answer.status for answer in malformed] == [422] * 12
    assert log_in(guarded, password=PASSWORD).status == 200


@pytest.mark.parametrize("failure", [DatabaseBusy(), RuntimeError("a bug")], ids=["outage", "bug"])
def test_what_is_not_the_caller_s_fault_is_not_counted(guarded: Make, database_url: str, failure: Exception) -> None:
    guarded.customer("alice")
    process = create_app(settings_of(database_url, rate_limits="on"))

    with process.test_request_context(environ_base={"REMOTE_ADDR": HOME}):
        for _ in range(12):
            with pytest.raises(type(failure)), attempt(SIGN_IN, account="alice"):
                raise failure

    process.extensions[KEY].db.close()
    assert log_in(guarded, password=PASSWORD).status == 200


def test_no_counter_says_whose_it_is(guarded: Make, db: Database) -> None:
    guarded.customer("alice")
    log_in(guarded)
    log_in(guarded, password=PASSWORD)
    log_in(guarded, "nobody")

    rows = rows_of(db, "rate_counter")

    assert len(rows) == 3  # of HOME, of the account that is not there, and that HOME is one of alice's networks
    assert not any(text in str(rows) for text in ("alice", "nobody", HOME))
