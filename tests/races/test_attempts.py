"""Guesses at the same moment, in two processes: exactly as many as there may be are looked at."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest

from flaskart.kit.db import Database
from tests.callers import PASSWORD, Answer, Make
from tests.conftest import TOKENS
from tests.races.conftest import MakeWithout
from tests.races.crowd import at_once, until_broken
from tests.servers import serving

GUESSES = 32
WRONG = "wrong horse"


@pytest.fixture
def guarded(database_url: str, db: Database, tmp_path: Path) -> Iterator[Make]:
    """A shop of two processes behind a proxy."""
    with serving(database_url, tmp_path, FLASKART_RATE_LIMITS="on", FLASKART_TRUSTED_PROXIES="1") as server:
        yield Make(db, TOKENS, server.send)


def guess(shop: Make, names: Sequence[str], networks: Sequence[str], password: str = WRONG) -> list[int]:
    """Try all names from all networks, pair by pair, at once; return how it ended."""

    def log_in(name: str, network: str) -> Answer:
        body = {"username": name, "password": password}
        return shop.anyone().post("/auth/login", body, X_Forwarded_For=network)

    pairs = zip(names, networks, strict=True)
    return sorted(answer.status for answer in at_once([partial(log_in, *pair) for pair in pairs]))


def test_of_guesses_at_one_account_ten_are_looked_at(guarded: Make) -> None:
    guarded.customer("alice")

    statuses = guess(guarded, ["alice"] * GUESSES, [f"203.0.113.{n}" for n in range(GUESSES)])

    assert statuses == [401] * 10 + [429] * 22


def test_of_guesses_from_one_network_ten_are_looked_at(guarded: Make) -> None:
    statuses = guess(guarded, [f"nobody{n}" for n in range(GUESSES)], ["203.0.113.1"] * GUESSES)

    assert statuses == [401] * 10 + [429] * 22


def test_of_guesses_from_one_network_at_one_account_ten_are_looked_at(guarded: Make) -> None:
    guarded.customer("alice")

    statuses = guess(guarded, ["alice"] * GUESSES, ["203.0.113.1"] * GUESSES)

    assert statuses == [401] * 10 + [429] * 22


def test_who_signs_in_many_times_at_once_is_not_locked_out(guarded: Make) -> None:
    guarded.customer("alice")

    statuses = guess(guarded, ["alice"] * GUESSES, ["203.0.113.1"] * GUESSES, PASSWORD)

    assert set(statuses) <= {200, 429}  # not more than ten are under way at a time
    assert guess(guarded, ["alice"], ["203.0.113.1"], PASSWORD) == [200]
    assert guess(guarded, ["alice"], ["203.0.113.2"], PASSWORD) == [200]


def test_without_the_guard_more_are_looked_at(make_without: MakeWithout) -> None:
    shop = make_without("attempts", FLASKART_RATE_LIMITS="on", FLASKART_TRUSTED_PROXIES="1")

    def breaks(number: int) -> bool:
        names = [f"nobody{number}"] * GUESSES
        statuses = guess(shop, names, [f"203.0.{number}.{n}" for n in range(GUESSES)])
        return statuses.count(401) > 10

    assert until_broken(shop.db, breaks)
