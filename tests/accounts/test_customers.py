"""Staff find accounts, look at them, keep somebody out and let them in again."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import Connection, event, insert, select, text, update

from flaskart.accounts import actions, queries
from flaskart.accounts.models import Customer, RoleGrant, StaffRole
from flaskart.accounts.queries import CustomerFilter
from flaskart.kit.actor import OF_STAFF, Actor, Role
from flaskart.kit.db import Database
from flaskart.web.idempotency import IdempotencyKey
from tests.accounts.sign_ins import (
    INVALID_TOKEN,
    forget_jobs,
    is_alive,
    problem,
    refresh,
    register_and_sign_in,
    rows_of,
    sign_in,
)
from tests.callers import PASSWORD, Caller, Make
from tests.databases import wait_until_blocked

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
REASON = {"reason": "Chargebacks"}
NOT_FOUND = problem(404, "Not Found", "customer_not_found", "Customer not found")
ERASED = problem(409, "Conflict", "customer_erased", "This customer was erased")
OWN = problem(409, "Conflict", "own_account", "You cannot disable your own account")
CHANGES = ("disable", "enable", "sign-out", "reset-second-factor")


@pytest.fixture
def boss(make: Make) -> Caller:
    return make.staff()


def change(boss: Caller, customer_id: int, what: str) -> tuple[int, Any]:
    answer = boss.post(f"/admin/customers/{customer_id}/{what}", REASON if what == "disable" else None)
    return answer.status, answer.json


def ids(boss: Caller, query: str = "") -> Sequence[int]:
    answer = boss.get(f"/admin/customers{query}")
    assert answer.status == 200, answer.json
    return [customer["id"] for customer in answer.json["customers"]]


def test_an_account_is_seen_without_its_secrets(make: Make, boss: Caller) -> None:
    with time_machine.travel(NOON, tick=False):
        alice = make.customer()

    answer = boss.get(f"/admin/customers/{alice.customer_id}")

    summary = {
        "id": 2,
        "username": "alice",
        "email": "alice@example.com",
        "role": "customer",
        "state": "active",
        "is_email_verified": False,
        "created_at": "2026-03-01T12:00:00Z",
    }
    details = {"disabled_at": None, "disabled_reason": None, "erased_at": None, "last_seen_at": "2026-03-01T12:00:00Z"}
    assert (answer.status, answer.json) == (200, {"customer": summary | details})
    assert boss.get("/admin/customers").json["customers"][0] == summary


def test_an_erased_account_is_seen_as_such_and_names_nobody(make: Make, boss: Caller) -> None:
    alice = make.customer()
    alice.delete("/account")

    shown = boss.get(f"/admin/customers/{alice.customer_id}").json["customer"]

    assert (shown["state"], shown["username"], shown["email"], shown["last_seen_at"]) == ("erased", None, None, None)
    assert shown["erased_at"] is not None
    assert "alice" not in boss.get("/admin/customers").body.decode()


@pytest.mark.parametrize("caller", ["anyone", "customer"])
def test_only_staff_see_and_change_the_accounts_of_others(make: Make, db: Database, caller: str) -> None:
    bob = make.customer("bob")
    asking, status = (make.anyone(), 401) if caller == "anyone" else (make.customer(), 403)
    before = rows_of(db, "customer")

    answers = [asking.get("/admin/customers"), asking.get(f"/admin/customers/{bob.customer_id}")]
    answers += [asking.post(f"/admin/customers/{bob.customer_id}/{what}", REASON) for what in CHANGES]

    assert [answer.status for answer in answers] == 6 * [status]
    assert rows_of(db, "customer") == before


def test_a_list_is_paged_the_newest_first(make: Make, boss: Caller) -> None:
    for name in ("alice", "bob", "carol", "dora"):
        make.customer(name)

    first = boss.get("/admin/customers?limit=2").json
    second = boss.get(f"/admin/customers?limit=2&after={first['pagination']['next']}").json
    third = boss.get(f"/admin/customers?limit=2&after={second['pagination']['next']}").json

    pages = [[customer["id"] for customer in page["customers"]] for page in (first, second, third)]
    assert pages == [[5, 4], [3, 2], [1]]
    assert third["pagination"] == {"next": None, "has_more": False, "limit": 2}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=ali", [3, 2]),
        ("q=ALI", [3, 2]),
        ("q=alice@", [2]),
        ("q=alicia", [3]),
        ("q=lice", []),
        ("q=stra%C3%9Fe", [4]),
        ("q=STRASSE", [4]),
        ("q=50%25", [5]),
        ("q=50_", []),
        ("q=%25", []),
        ("q=%F4%8F%BF%BF", []),
        ("role=staff", [1]),
        ("role=customer", [6, 5, 4, 3, 2]),
        ("state=active", [5, 4, 2, 1]),
        ("state=disabled", [3]),
        ("state=erased", [6]),
        ("state=active&role=customer&q=a", [2]),
        ("created_since=2026-03-03T12:00:00Z", [6, 5, 4]),
        ("created_until=2026-03-03T12:00:00Z", [3, 2, 1]),
        ("created_since=2026-03-03T13:00:00%2B01:00&created_until=2026-03-03T12:00:00.000001Z", [4]),
    ],
)
def test_accounts_are_found_by_how_a_name_begins_and_by_what_they_are(make: Make, query: str, found: list[int]) -> None:
    for day, name in enumerate(("boss", "Alice", "alicia", "Straße", "50%off", "gone")):
        with time_machine.travel(NOON + timedelta(days=day - 1), tick=False):
            caller = make.staff(name) if name == "boss" else make.customer(name)
            if name == "gone":
                assert caller.delete("/account").status == 200
    forget_jobs(make.db)  # by the database's clock they are long overdue
    with time_machine.travel(NOON + timedelta(days=5), tick=False):
        boss = sign_in(make, "boss").caller
        assert change(boss, 3, "disable")[0] == 200

        assert ids(boss, f"?{query}") == found


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("q=", "?q", "string_too_short"),
        ("q=%00", "?q", "control_character"),
        (f"q={'x' * 255}", "?q", "string_too_long"),
        ("state=gone", "?state", "enum"),
        ("role=boss", "?role", "enum"),
        ("created_since=0", "?created_since", "datetime_parsing"),
        ("created_since=2026-03-01", "?created_since", "datetime_parsing"),
        ("created_since=2026-03-01T12:00:00", "?created_since", "datetime_parsing"),
        ("created_until=2026-02-30T12:00:00Z", "?created_until", "datetime_parsing"),
        ("created_until=0001-01-01T00:00:00%2B01:00", "?created_until", "datetime_parsing"),
        ("email=alice", "?email", "extra_forbidden"),
        ("after=x", "?after", "invalid_cursor"),
    ],
)
def test_a_bad_filter_is_named(boss: Caller, query: str, pointer: str, code: str) -> None:
    answer = boss.get(f"/admin/customers?{query}")

    assert answer.status == 422
    assert [(error["pointer"], error["code"]) for error in answer.json["errors"]] == [(pointer, code)]


def test_who_is_disabled_is_out_at_once_and_stays_out(make: Make, boss: Caller) -> None:
    phone, laptop = register_and_sign_in(make), sign_in(make)
    bob = register_and_sign_in(make, "bob")

    status, body = change(boss, 2, "disable")

    assert (status, body["msg"]) == (200, "Customer disabled")
    assert body["customer"] == boss.get("/admin/customers/2").json["customer"]
    assert (body["customer"]["state"], body["customer"]["disabled_reason"]) == ("disabled", "Chargebacks")
    assert phone.caller.get("/account").json == INVALID_TOKEN
    assert not is_alive(make, phone)
    assert not is_alive(make, laptop)
    assert is_alive(make, bob)
    for member, name in (("username", "alice"), ("email", "alice@example.com")):
        refused = make.anyone().post("/auth/login", {member: name, "password": PASSWORD})
        assert (refused.status, refused.json["code"]) == (403, "account_disabled")


def test_the_name_of_a_disabled_account_stays_taken(make: Make, boss: Caller) -> None:
    make.customer()
    change(boss, 2, "disable")

    person = {"username": "alice", "email": "alice@example.com", "password": "another horse"}

    assert make.anyone().post("/auth/register", person).status == 409


def test_disabling_again_changes_nothing(make: Make, boss: Caller, db: Database) -> None:
    make.customer()
    change(boss, 2, "disable")
    before = rows_of(db, "customer")

    again = boss.post("/admin/customers/2/disable", {"reason": "Another"})

    assert again.status == 200
    assert again.json["customer"]["disabled_reason"] == "Chargebacks"
    assert rows_of(db, "customer") == before


def test_who_is_enabled_signs_in_anew(make: Make, boss: Caller) -> None:
    phone = register_and_sign_in(make)
    change(boss, 2, "disable")

    answers = [change(boss, 2, "enable") for _ in range(2)]

    assert [(status, body["msg"]) for status, body in answers] == 2 * [(200, "Customer enabled")]
    customer = boss.get("/admin/customers/2").json["customer"]
    assert (customer["state"], customer["disabled_at"], customer["disabled_reason"]) == ("active", None, None)
    assert not is_alive(make, phone)
    assert is_alive(make, sign_in(make))


def test_who_is_signed_out_may_sign_in_again(make: Make, boss: Caller) -> None:
    phone, laptop, bob = register_and_sign_in(make), sign_in(make), register_and_sign_in(make, "bob")

    status, body = change(boss, 2, "sign-out")

    assert (status, body["msg"], body["customer"]["state"]) == (200, "Customer signed out", "active")
    assert not is_alive(make, phone)
    assert not is_alive(make, laptop)
    assert is_alive(make, bob)
    assert is_alive(make, sign_in(make))


def test_staff_cannot_disable_themselves(boss: Caller, db: Database) -> None:
    before = rows_of(db, "customer")

    assert change(boss, boss.customer_id, "disable") == (409, OWN)

    assert rows_of(db, "customer") == before
    assert boss.get("/account").status == 200


@pytest.mark.parametrize("what", CHANGES)
def test_who_is_erased_or_never_was_cannot_be_changed(make: Make, boss: Caller, db: Database, what: str) -> None:
    make.customer().delete("/account")
    before = rows_of(db, "customer")

    assert change(boss, 2, what) == (409, ERASED)
    assert change(boss, 3, what) == (404, NOT_FOUND)

    assert rows_of(db, "customer") == before


def test_who_never_was_is_not_found(boss: Caller) -> None:
    for number in ("99", "0", "9" * 30):
        answer = boss.get(f"/admin/customers/{number}")
        assert (answer.status, answer.json) == (404, NOT_FOUND)


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/reason", "missing"),
        ({"reason": " "}, "/reason", "string_too_short"),
        ({"reason": "x" * 201}, "/reason", "string_too_long"),
        ({"reason": "a\0b"}, "/reason", "control_character"),
        (REASON | {"role": "staff"}, "/role", "extra_forbidden"),
    ],
)
def test_disabling_needs_a_reason(
    make: Make, boss: Caller, db: Database, body: dict[str, str], pointer: str, code: str
) -> None:
    make.customer()
    before = rows_of(db, "customer")

    answer = boss.post("/admin/customers/2/disable", body)

    assert answer.status == 422
    assert [(error["pointer"], error["code"]) for error in answer.json["errors"]] == [(pointer, code)]
    assert rows_of(db, "customer") == before


def test_what_was_answered_to_staff_is_forgotten_with_the_person(make: Make, boss: Caller, db: Database) -> None:
    alice = make.customer()
    make.customer("bob")
    for number in (2, 3):
        answer = boss.post(f"/admin/customers/{number}/sign-out", Idempotency_Key=f"out {number}")
        assert answer.status == 200
    alice = sign_in(make).caller

    alice.delete("/account")

    with db.read() as session:
        assert session.scalars(select(IdempotencyKey.key)).all() == ["out 3"]
    assert b"alice" not in repr(make.everything()).encode()


def test_nobody_signs_in_to_an_account_that_is_being_disabled(make: Make, boss: Caller, db: Database) -> None:
    make.customer()

    with ThreadPoolExecutor(1) as pool:
        with db.write() as session:
            actions.disable_customer(session, acting(boss), 2, reason="x")
            session.flush()
            body = {"username": "alice", "password": PASSWORD}
            signing_in = pool.submit(make.anyone().post, "/auth/login", body)
            wait_until_blocked(db)
        answer = signing_in.result()

    assert (answer.status, answer.json["code"]) == (403, "account_disabled")


def test_nobody_goes_on_with_a_sign_in_that_is_being_ended(make: Make, boss: Caller, db: Database) -> None:
    alice = register_and_sign_in(make)

    with ThreadPoolExecutor(1) as pool:
        with db.write() as session:
            actions.sign_customer_out(session, acting(boss), 2)
            refreshing = pool.submit(refresh, make, alice.refresh_token)
            wait_until_blocked(db)
        answer = refreshing.result()

    assert answer.status == 401
    assert not is_alive(make, alice)


def test_many_who_sign_in_while_they_are_disabled_are_out_in_the_end(make_over_http: Make) -> None:
    make, boss = make_over_http, make_over_http.staff()
    make.customer()
    body = {"username": "alice", "password": PASSWORD}

    with ThreadPoolExecutor(9) as pool:
        logins = [pool.submit(make.anyone().post, "/auth/login", body) for _ in range(4)]
        disabling = pool.submit(change, boss, 2, "disable")
        logins += [pool.submit(make.anyone().post, "/auth/login", body) for _ in range(4)]
        answers = [login.result() for login in logins]

    assert disabling.result()[0] == 200
    assert {answer.status for answer in answers} <= {200, 403}
    alive = [Caller(make.send, answer.json["access_token"]) for answer in answers if answer.status == 200]
    assert {caller.get("/account").status for caller in alive} <= {401}


# What each engine's plan of a search must not say: that it looks at everybody.
WHOLE_TABLE = {"sqlite": "SCAN customer", "postgresql": "Seq Scan"}


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (CustomerFilter(begins_with="someone-421"), "folded"),
        (CustomerFilter(begins_with="someone-421", role=Role.CUSTOMER), "folded"),
        (CustomerFilter(role=Role.STAFF), "ix_customer_role_id"),
    ],
)
def test_a_search_looks_only_at_whom_it_finds(db: Database, wanted: CustomerFilter, index: str) -> None:
    crowd(db, 5_000)

    plan = plan_of(db, wanted)

    assert index in plan
    assert WHOLE_TABLE[db.engine.dialect.name] not in plan


def crowd(db: Database, count: int) -> None:
    """Open many accounts, directly; the last is an owner."""
    same = {"password_hash": "", "role": "customer", "created_at": NOON}
    names = [f"someone-{number}" for number in range(count)]
    rows = [{"username": n, "username_folded": n, "email": f"{n}@x.org", "email_folded": f"{n}@x.org"} for n in names]
    with db.write() as session:
        session.execute(insert(Customer), [same | row for row in rows])
        last = update(Customer).where(Customer.username == names[-1]).values(role="staff")
        owner = select(StaffRole.id).where(StaffRole.name == "owner").scalar_subquery()
        grant = {"customer_id": session.scalar(last.returning(Customer.id)), "role_id": owner, "granted_at": NOON}
        session.execute(insert(RoleGrant).values(grant))
        session.execute(text("ANALYZE"))


def plan_of(db: Database, wanted: CustomerFilter) -> str:
    """Return how the database finds a page."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Connection, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        sent.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    with db.read() as session:
        assert queries.list_customers(session, wanted, limit=20, after=None).rows
    event.remove(db.engine, "before_cursor_execute", note)
    [(statement, parameters)] = sent
    explain = "EXPLAIN QUERY PLAN" if db.engine.dialect.name == "sqlite" else "EXPLAIN"
    with db.read() as session:
        rows = session.connection().exec_driver_sql(f"{explain} {statement}", parameters).all()
    return "\n".join(str(row) for row in rows)


def acting(caller: Caller) -> Actor:
    return Actor(caller.customer_id, OF_STAFF, "this sign-in")
