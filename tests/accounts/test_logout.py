"""Ending a sign-in."""

from flaskart.kit.db import Database
from tests.accounts.sign_ins import (
    INVALID_REFRESH_TOKEN,
    INVALID_TOKEN,
    UNAUTHENTICATED,
    is_alive,
    refresh,
    register_and_sign_in,
    rows_of,
    sign_in,
    signed_in,
)
from tests.callers import Caller, Make


def test_logging_out_with_the_access_token_ends_the_sign_in_at_once(make: Make) -> None:
    alice = register_and_sign_in(make)

    answer = alice.caller.post("/auth/logout")

    assert (answer.status, answer.json) == (200, {"msg": "Logged out"})
    viewed, refreshed = alice.caller.get("/account"), refresh(make, alice.refresh_token)
    assert (viewed.status, viewed.json) == (401, INVALID_TOKEN)
    assert (refreshed.status, refreshed.json) == (401, INVALID_REFRESH_TOKEN)


def test_logging_out_with_the_refresh_token_alone_ends_the_sign_in_at_once(anyone: Caller, make: Make) -> None:
    alice = register_and_sign_in(make)

    answer = anyone.post("/auth/logout", {"refresh_token": alice.refresh_token})

    assert (answer.status, answer.json) == (200, {"msg": "Logged out"})
    assert not is_alive(make, alice)


def test_every_token_of_the_sign_in_stops_working_whichever_was_given(anyone: Caller, make: Make) -> None:
    alice = register_and_sign_in(make)
    continued = signed_in(make, refresh(make, alice.refresh_token))

    anyone.post("/auth/logout", {"refresh_token": alice.refresh_token})

    assert not is_alive(make, alice)
    assert not is_alive(make, continued)


def test_logging_out_with_the_refresh_token_may_be_repeated(anyone: Caller, make: Make) -> None:
    alice = register_and_sign_in(make)
    anyone.post("/auth/logout", {"refresh_token": alice.refresh_token})

    again = anyone.post("/auth/logout", {"refresh_token": alice.refresh_token})

    assert (again.status, again.json) == (200, {"msg": "Logged out"})


def test_logging_out_with_the_access_token_may_be_repeated(make: Make) -> None:
    alice = register_and_sign_in(make)
    alice.caller.post("/auth/logout")

    again = alice.caller.post("/auth/logout")

    assert (again.status, again.json) == (200, {"msg": "Logged out"})


def test_other_sign_ins_go_on(make: Make) -> None:
    phone = register_and_sign_in(make)
    laptop = sign_in(make)
    bob = register_and_sign_in(make, "bob")

    phone.caller.post("/auth/logout")

    assert is_alive(make, laptop)
    assert is_alive(make, bob)


def test_the_refresh_token_in_the_body_counts_more_than_the_access_token(make: Make) -> None:
    phone = register_and_sign_in(make)
    laptop = sign_in(make)

    answer = phone.caller.post("/auth/logout", {"refresh_token": laptop.refresh_token})

    assert answer.status == 200
    assert not is_alive(make, laptop)
    assert is_alive(make, phone)


def test_an_unknown_refresh_token_is_no_error_and_ends_nothing(anyone: Caller, make: Make, db: Database) -> None:
    register_and_sign_in(make)
    before = rows_of(db, "refresh_token")

    answer = anyone.post("/auth/logout", {"refresh_token": "unknown"})

    assert (answer.status, answer.json) == (200, {"msg": "Logged out"})
    assert rows_of(db, "refresh_token") == before


def test_without_any_token_there_is_nothing_to_end(anyone: Caller, make: Make, db: Database) -> None:
    register_and_sign_in(make)
    before = rows_of(db, "refresh_token")

    answer = anyone.post("/auth/logout")

    assert (answer.status, answer.json) == (401, UNAUTHENTICATED)
    assert rows_of(db, "refresh_token") == before


def test_a_forged_access_token_ends_nothing(make: Make, db: Database) -> None:
    alice = register_and_sign_in(make)
    before = rows_of(db, "refresh_token")

    answer = Caller(make.send, f"{alice.caller.token}x").post("/auth/logout")

    assert (answer.status, answer.json) == (401, INVALID_TOKEN)
    assert rows_of(db, "refresh_token") == before


def test_after_logging_out_one_can_sign_in_again(make: Make) -> None:
    alice = register_and_sign_in(make)
    alice.caller.post("/auth/logout")

    again = sign_in(make)

    assert is_alive(make, again)
    assert not is_alive(make, alice)
