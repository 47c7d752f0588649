"""The list of one's sign-ins, ending them, and the message about a new one."""

import pytest

from flaskart.kit.db import Database
from tests.accounts.sign_ins import (
    UNAUTHENTICATED,
    SignIn,
    forget_jobs,
    is_alive,
    jobs_of,
    problem,
    refresh,
    register_and_sign_in,
    rows_of,
    sign_in,
    signed_in,
)
from tests.callers import PASSWORD, Caller, Make

NOT_FOUND = problem(404, "Not Found", "session_not_found", "Session not found")


def sign_in_with(make: Make, user_agent: str) -> SignIn:
    body = {"username": "alice", "password": PASSWORD}
    return signed_in(make, make.anyone().post("/auth/login", body, User_Agent=user_agent))


def id_of(sign_in: SignIn) -> str:
    [current] = [s for s in sign_in.caller.get("/account/sessions").json["sessions"] if s["is_current"]]
    return str(current["id"])


def test_one_sees_where_one_is_signed_in_newest_first(make: Make) -> None:
    make.customer("bob")
    make.customer("alice").post("/auth/logout")
    phone, laptop = sign_in_with(make, "Phone/1"), sign_in_with(make, "Laptop/2")

    answer = phone.caller.get("/account/sessions")

    assert answer.status == 200
    assert answer.json["pagination"] == {"next": None, "has_more": False, "limit": 20}
    assert [set(session) for session in answer.json["sessions"]] == [
        {"id", "user_agent", "ip", "created_at", "last_used_at", "is_current"}
    ] * 2
    shown = [(s["id"], s["user_agent"], s["ip"], s["is_current"]) for s in answer.json["sessions"]]
    assert shown == [
        (id_of(laptop), "Laptop/2", "127.0.0.1", False),
        (id_of(phone), "Phone/1", "127.0.0.1", True),
    ]


def test_the_list_is_read_page_by_page(make: Make) -> None:
    phone = register_and_sign_in(make)
    for _ in range(3):
        sign_in(make)

    first = phone.caller.get("/account/sessions?limit=3").json
    rest = phone.caller.get(f"/account/sessions?limit=3&after={first['pagination']['next']}").json

    ids = [session["id"] for session in first["sessions"] + rest["sessions"]]
    assert len(set(ids)) == 5  # one more was begun when the account was made
    assert (first["pagination"]["has_more"], rest["pagination"]["has_more"]) == (True, False)


def test_a_refresh_is_a_use(make: Make) -> None:
    phone = register_and_sign_in(make)
    [before, _] = phone.caller.get("/account/sessions").json["sessions"]

    refresh(make, phone.refresh_token)

    [after, _] = phone.caller.get("/account/sessions").json["sessions"]
    assert after["created_at"] == before["created_at"] == before["last_used_at"]
    assert after["last_used_at"] > before["last_used_at"]


def test_one_of_ones_sign_ins_is_ended(make: Make) -> None:
    phone, laptop = register_and_sign_in(make), sign_in(make)

    answer = phone.caller.delete(f"/account/sessions/{id_of(laptop)}")

    assert (answer.status, answer.json) == (200, {"msg": "Session ended"})
    assert not is_alive(make, laptop)
    assert is_alive(make, phone)


def test_a_sign_in_ends_once(make: Make) -> None:
    phone, laptop = register_and_sign_in(make), sign_in(make)
    path = f"/account/sessions/{id_of(laptop)}"
    phone.caller.delete(path)

    again = phone.caller.delete(path)

    assert (again.status, again.json) == (404, NOT_FOUND)


@pytest.mark.parametrize("name", ["unknown", "x" * 32, "名前", "%00"])
def test_what_is_not_ones_own_sign_in_is_not_found(make: Make, db: Database, name: str) -> None:
    alice, bob = register_and_sign_in(make), register_and_sign_in(make, "bob")
    bobs = id_of(bob)
    before = rows_of(db, "sign_in")

    answers = [alice.caller.delete(f"/account/sessions/{id_}") for id_ in (name, bobs)]

    assert [(answer.status, answer.json) for answer in answers] == [(404, NOT_FOUND)] * 2
    assert rows_of(db, "sign_in") == before
    assert is_alive(make, bob)


def test_all_sign_ins_but_this_one_are_ended(make: Make) -> None:
    phone, laptop, bob = register_and_sign_in(make), sign_in(make), register_and_sign_in(make, "bob")

    answer = phone.caller.delete("/account/sessions")

    assert (answer.status, answer.json) == (200, {"msg": "Other sessions ended"})
    assert len(phone.caller.get("/account/sessions").json["sessions"]) == 1
    assert not is_alive(make, laptop)
    assert is_alive(make, phone)
    assert is_alive(make, bob)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/account/sessions"), ("DELETE", "/account/sessions"), ("DELETE", "/account/sessions/x")],
)
def test_who_is_not_signed_in_has_no_sign_ins(anyone: Caller, make: Make, method: str, path: str) -> None:
    alice = register_and_sign_in(make)

    answer = anyone.call(method, path)

    assert (answer.status, answer.json) == (401, UNAUTHENTICATED)
    assert is_alive(make, alice)


def test_a_sign_in_from_a_device_not_seen_before_is_told(make: Make, anyone: Caller, db: Database) -> None:
    anyone.post("/auth/register", {"username": "alice", "email": "a@example.com", "password": PASSWORD})
    forget_jobs(db)
    sign_in_with(make, "Phone/1")
    sign_in_with(make, "Phone/1")
    assert jobs_of(db) == []

    laptop = sign_in_with(make, "Laptop/2")
    sign_in_with(make, "Laptop/2")

    assert jobs_of(db) == [("mail.new_sign_in", {"customer_id": 1, "session_id": id_of(laptop)})]


@pytest.mark.parametrize(
    ("sent", "kept"), [("x" * 300, "x" * 255), ("Agent\x7f/1", "Agent/1"), ("", ""), ("Ágent", "Ágent")]
)
def test_any_user_agent_is_kept_as_far_as_it_can_be(make: Make, db: Database, sent: str, kept: str) -> None:
    make.customer("alice")

    sign_in_with(make, sent)

    assert rows_of(db, "sign_in")[-1]["user_agent"] == kept


def test_erasing_an_account_forgets_where_it_signed_in_from(make: Make, db: Database) -> None:
    alice = register_and_sign_in(make)
    alice.caller.delete("/account")

    assert rows_of(db, "sign_in") == rows_of(db, "refresh_token") == []
