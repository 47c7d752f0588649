"""Continuing a sign-in with its refresh token."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from flaskart.accounts.actions import forget_expired_sign_ins
from flaskart.kit.db import Database
from tests.accounts.sign_ins import (
    INVALID_REFRESH_TOKEN,
    is_alive,
    refresh,
    register_and_sign_in,
    rows_of,
    sign_in,
    signed_in,
)
from tests.callers import Caller, Make

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
GRACE = timedelta(seconds=30)
MOMENT = timedelta(microseconds=1)
MONTH = timedelta(seconds=2_592_000)


def test_a_refresh_token_is_exchanged_for_a_new_pair(make: Make) -> None:
    alice = register_and_sign_in(make)

    answer = refresh(make, alice.refresh_token)

    assert answer.status == 200
    assert set(answer.json) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 900)
    assert answer.json["refresh_token"] != alice.refresh_token
    assert signed_in(make, answer).caller.get("/account").json["user"]["username"] == "alice"


def test_a_sign_in_can_be_continued_again_and_again(make: Make) -> None:
    alice = register_and_sign_in(make)
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        for _ in range(5):
            clock.shift(timedelta(days=20))

            answer = refresh(make, alice.refresh_token)

            assert answer.status == 200
            alice = signed_in(make, answer)


def test_only_the_hash_of_a_refresh_token_is_stored(make: Make, db: Database) -> None:
    alice = register_and_sign_in(make)

    rows = rows_of(db, "refresh_token")

    assert hashlib.sha256(alice.refresh_token.encode()).hexdigest() in [row["token_hash"] for row in rows]
    assert alice.refresh_token not in str(rows)


def test_a_token_whose_answer_was_lost_may_be_used_again_within_30_seconds(make: Make) -> None:
    alice = register_and_sign_in(make)
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        first = refresh(make, alice.refresh_token)
        clock.shift(GRACE)

        second = refresh(make, alice.refresh_token)

        assert (first.status, second.status) == (200, 200)
        assert first.json["refresh_token"] != second.json["refresh_token"]
        assert is_alive(make, signed_in(make, first))
        assert is_alive(make, signed_in(make, second))


def test_the_grace_begins_with_the_first_use(make: Make) -> None:
    alice = register_and_sign_in(make)
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        refresh(make, alice.refresh_token)
        clock.shift(timedelta(seconds=20))
        assert refresh(make, alice.refresh_token).status == 200
        clock.shift(timedelta(seconds=20))

        answer = refresh(make, alice.refresh_token)

        assert answer.status == 401


def test_a_used_token_that_comes_back_after_the_grace_ends_the_whole_sign_in(make: Make) -> None:
    stolen = register_and_sign_in(make)
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        continued = signed_in(make, refresh(make, stolen.refresh_token))
        clock.shift(GRACE + MOMENT)

        answer = refresh(make, stolen.refresh_token)

        assert answer.status == 401
        assert answer.json == INVALID_REFRESH_TOKEN
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert stolen.caller.get("/account").status == 401
        assert not is_alive(make, continued)


def test_a_copied_token_ends_no_other_sign_in(make: Make) -> None:
    stolen = register_and_sign_in(make)
    laptop = sign_in(make)
    bob = register_and_sign_in(make, "bob")
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        refresh(make, stolen.refresh_token)
        clock.shift(GRACE + MOMENT)

        refresh(make, stolen.refresh_token)

        assert is_alive(make, laptop)
        assert is_alive(make, bob)


def test_a_revoked_token_has_no_grace(make: Make) -> None:
    alice = register_and_sign_in(make)
    refresh(make, alice.refresh_token)
    alice.caller.post("/auth/logout")

    answer = refresh(make, alice.refresh_token)

    assert answer.status == 401
    assert answer.json == INVALID_REFRESH_TOKEN


def test_a_refresh_token_works_until_the_moment_it_expires(make: Make) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        in_time, too_late = register_and_sign_in(make), sign_in(make)
        clock.move_to(NOON + MONTH - MOMENT)
        assert refresh(make, in_time.refresh_token).status == 200
        clock.move_to(NOON + MONTH)

        answer = refresh(make, too_late.refresh_token)

        assert answer.status == 401
        assert answer.json == INVALID_REFRESH_TOKEN


def test_a_used_token_that_expired_meanwhile_is_simply_expired(make: Make) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        alice = register_and_sign_in(make)
        clock.move_to(NOON + timedelta(days=29))
        continued = signed_in(make, refresh(make, alice.refresh_token))
        clock.move_to(NOON + MONTH)

        answer = refresh(make, alice.refresh_token)

        assert answer.status == 401
        assert is_alive(make, signed_in(make, refresh(make, continued.refresh_token)))


@pytest.mark.parametrize("token", ["unknown", "x" * 43, "nul\0", "✓" * 512])
def test_an_unknown_refresh_token_is_refused_and_changes_nothing(make: Make, db: Database, token: str) -> None:
    register_and_sign_in(make)
    before = rows_of(db, "refresh_token")

    answer = refresh(make, token)

    assert answer.status == 401
    assert answer.json == INVALID_REFRESH_TOKEN
    assert rows_of(db, "refresh_token") == before


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/refresh_token", "missing"),
        ({"refresh_token": ""}, "/refresh_token", "string_too_short"),
        ({"refresh_token": "x" * 513}, "/refresh_token", "string_too_long"),
        ({"refresh_token": None}, "/refresh_token", "string_type"),
        ({"refresh_token": "x", "scope": "staff"}, "/scope", "extra_forbidden"),
    ],
)
def test_a_malformed_refresh_is_refused_field_by_field(
    anyone: Caller, body: dict[str, object], pointer: str, code: str
) -> None:
    answer = anyone.post("/auth/refresh", body)

    assert answer.status == 422
    assert [(error["pointer"], error["code"]) for error in answer.json["errors"]] == [(pointer, code)]


def test_an_access_token_is_no_refresh_token_nor_the_other_way_round(make: Make) -> None:
    alice = register_and_sign_in(make)

    refreshed = refresh(make, str(alice.caller.token))
    viewed = Caller(make.send, alice.refresh_token).get("/account")

    assert (refreshed.status, refreshed.json["code"]) == (401, "invalid_refresh_token")
    assert (viewed.status, viewed.json["code"]) == (401, "invalid_token")


def test_only_tokens_past_their_time_are_forgotten(make: Make, db: Database) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        register_and_sign_in(make)
        signed_in_a_month_ago = len(rows_of(db, "refresh_token"))
        clock.shift(MONTH + MOMENT)
        young = sign_in(make)

        with db.write() as session:
            forgotten = forget_expired_sign_ins(session)

        assert forgotten == signed_in_a_month_ago
        assert len(rows_of(db, "refresh_token")) == 1
        assert is_alive(make, young)
