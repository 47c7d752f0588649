"""Staff keep nobody out who holds more than they do, a shop keeps an owner, and the log tells who did what."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from flaskart.kit.actor import OF_STAFF, Permission
from flaskart.kit.db import Database
from tests.accounts.sign_ins import rows_of
from tests.accounts.test_customers import CHANGES, change
from tests.accounts.test_second_factor import enrol
from tests.audit.logs import entries_of
from tests.callers import Caller, Make


@pytest.fixture
def boss(make: Make) -> Caller:
    return make.staff()


def test_nobody_resets_their_own_second_factor_without_a_code(boss: Caller, db: Database) -> None:
    enrol(boss)
    before = rows_of(db, "customer")

    status, body = change(boss, boss.customer_id, "reset-second-factor")

    assert (status, body["code"]) == (409, "own_account")
    assert rows_of(db, "customer") == before


def test_who_lost_their_second_factor_signs_in_without_once_it_is_reset(make: Make, boss: Caller, db: Database) -> None:
    alice = enrol(make.customer())
    assert alice.log_in(None).json["code"] == "second_factor_required"

    answers = [change(boss, 2, "reset-second-factor") for _ in range(2)]

    assert [(status, body["msg"]) for status, body in answers] == 2 * [(200, "Second factor reset")]
    assert alice.log_in(None).status == 200
    assert rows_of(db, "recovery_code") == []
    assert rows_of(db, "customer")[1]["totp_secret"] is None


@pytest.mark.parametrize("what", CHANGES)
def test_nobody_changes_who_holds_more_than_they_do(make: Make, boss: Caller, what: str) -> None:
    held = {Permission.CUSTOMERS_READ, Permission.CUSTOMERS_WRITE}
    helper = make.staff("helper", held)
    make.staff("clerk", {*held, Permission.ORDERS_READ})
    before = make.everything()

    refused = [change(helper, customer_id, what) for customer_id in (boss.customer_id, 3)]

    assert [(status, body["code"]) for status, body in refused] == 2 * [(403, "more_than_held")]
    assert refused[1][1]["missing"] == ["orders.read"]
    assert make.everything() == before


@pytest.mark.parametrize("what", CHANGES)
def test_staff_change_who_holds_no_more_than_they_do(make: Make, boss: Caller, what: str) -> None:
    held = {Permission.CUSTOMERS_READ, Permission.CUSTOMERS_WRITE}
    helper = make.staff("helper", held)
    make.staff("clerk", held)

    assert change(helper, 3, what)[0] == 200


def test_the_last_owner_cannot_be_disabled(make: Make, boss: Caller) -> None:
    deputy = make.staff("deputy", OF_STAFF)
    before = make.everything()

    status, body = change(deputy, boss.customer_id, "disable")

    assert (status, body["code"]) == (409, "last_owner")
    assert make.everything() == before


def test_an_owner_who_is_disabled_does_not_count_as_one(make: Make, boss: Caller, db: Database) -> None:
    other, deputy = make.staff("other"), make.staff("deputy", OF_STAFF)
    assert change(boss, other.customer_id, "disable")[0] == 200
    before = rows_of(db, "customer")

    status, body = change(deputy, boss.customer_id, "disable")

    assert (status, body["code"]) == (409, "last_owner")
    assert rows_of(db, "customer") == before


def test_of_two_owners_who_disable_each_other_at_once_one_stays(make_over_http: Make, db: Database) -> None:
    one, other = make_over_http.staff("one"), make_over_http.staff("other")

    with ThreadPoolExecutor(2) as pool:
        pairs = ((one, other), (other, one))
        statuses = sorted(pool.map(lambda pair: change(pair[0], pair[1].customer_id, "disable")[0], pairs))

    assert statuses[0] == 200
    assert statuses[1] in (401, 409)  # who is disabled already is signed out, or finds that they were the last one
    assert [row["disabled_at"] is None for row in rows_of(db, "customer")].count(True) == 1


def test_each_change_is_in_the_log_with_who_made_it(make: Make, boss: Caller, db: Database) -> None:
    enrol(make.customer())
    written = len(entries_of(db))

    for what in ("disable", "enable", "reset-second-factor", "sign-out"):
        assert change(boss, 2, what)[0] == 200

    entries = entries_of(db)[written:]
    assert [entry.action for entry in entries] == [
        "customer.disabled",
        "customer.enabled",
        "customer.second_factor_reset",
        "customer.signed_out",
    ]
    assert {(entry.actor_kind, entry.actor_id, entry.subject_id) for entry in entries} == {("customer", 1, 2)}
    assert "Chargebacks" not in repr(entries)
