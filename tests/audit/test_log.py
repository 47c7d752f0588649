"""`GET /admin/audit`: staff read the log, by filters and page by page."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from flaskart.kit import audit
from flaskart.kit.actor import OF_STAFF, Actor
from flaskart.kit.audit import SYSTEM, Fields, Kind, Subject, System
from flaskart.kit.db import Database
from tests.callers import PASSWORD, Caller, Make

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MUG = Subject(Kind("product", frozenset({"name", "stock"})), 1)
JOB = Subject(Kind("job", frozenset({"state"})), 1)
FILTERS = {
    "": [5, 4, 3, 2, 1],
    "actor_kind=customer": [4, 3, 2],
    "actor_kind=customer&actor_id=1": [4, 3, 2],
    "actor_id=2": [],
    "actor_kind=key": [],
    "actor_kind=system": [5, 1],
    "action=product.updated": [3],
    "action=product": [],
    "subject_kind=product": [4, 3, 2],
    "subject_kind=job&subject_id=1": [5],
    "subject_id=1": [5, 4, 3, 2, 1],
    "subject_id=2": [],
    "since=2026-03-01T13:00:00Z": [5, 4, 3],
    "since=2026-03-01T13:00:00.000001Z": [5, 4],
    "until=2026-03-01T13:00:00Z": [2, 1],
    "since=2026-03-01T13:00:00Z&until=2026-03-01T14:00:00Z": [3],
    "since=2026-03-01T15:00:00%2B02:00&until=2026-03-01T09:00:00-05:00": [3],
    "subject_kind=product&action=product.removed&actor_id=1": [4],
}
BAD = {
    "actor_kind=boss": "?actor_kind",
    "actor_id=x": "?actor_id",
    "actor_id=-1": "?actor_id",
    "subject_id=9223372036854775808": "?subject_id",
    "subject_id=1_0": "?subject_id",
    "action=": "?action",
    "action=%00": "?action",
    "since=yesterday": "?since",
    "since=2026-03-01": "?since",
    "since=2026-03-01T12:00:00": "?since",
    "since=1772366400": "?since",
    "since=2026-02-30T12:00:00Z": "?since",
    "until=0001-01-01T00:00:00%2B14:00": "?until",
    "until=2026-03-01T24:00:01Z": "?until",
    "after=x": "?after",
    "actor=1": "?actor",
}


@pytest.fixture
def boss(make: Make, db: Database) -> Caller:
    """Somebody who became staff at eleven, added a mug at noon, changed it at one and removed it at two.

    At three the shop dropped a job.
    """
    with time_machine.travel(NOON - HOUR, tick=False):
        made = make.staff("boss")
    signed_in = make.anyone().post("/auth/login", {"username": "boss", "password": PASSWORD}).json
    boss = Caller(make.send, signed_in["access_token"], made.customer_id)
    actor = Actor(boss.customer_id, OF_STAFF, "a sign-in")
    old, new = {"name": "Mug", "stock": 0}, {"name": "Mug", "stock": 3}
    record_at(db, NOON, actor, "product.added", MUG, after=old)
    record_at(db, NOON + HOUR, actor, "product.updated", MUG, before=old, after=new)
    record_at(db, NOON + 2 * HOUR, actor, "product.removed", MUG, before=new)
    record_at(db, NOON + 3 * HOUR, SYSTEM, "job.discarded", JOB, before={"state": "dead", "payload": "x"})
    return boss


def record_at(
    db: Database, time: datetime, actor: Actor | System, action: str, subject: Subject, **fields: Fields
) -> None:
    with time_machine.travel(time, tick=False), db.write() as session:
        audit.record(session, actor, action, subject, **fields)


def ids(caller: Caller, query: str) -> list[int]:
    answer = caller.get(f"/admin/audit?{query}")
    assert answer.status == 200, answer.json
    return [entry["id"] for entry in answer.json["entries"]]


@pytest.mark.parametrize("path", ["/admin/audit", "/admin/audit/1"])
def test_the_log_is_for_staff(boss: Caller, anyone: Caller, make: Make, path: str) -> None:
    assert anyone.get(path).status == 401
    assert make.customer().get(path).status == 403
    assert boss.get(path).status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nobody_writes_to_the_log(boss: Caller, method: str) -> None:
    assert boss.call(method, "/admin/audit").status == 405
    assert boss.call(method, "/admin/audit/1").status == 405


def test_an_entry_tells_who_changed_what(boss: Caller) -> None:
    entry = boss.get("/admin/audit/3").json["entry"]

    previous = boss.get("/admin/audit/2").json["entry"]["hash"]
    assert len(entry.pop("hash")) == 64
    assert entry == {
        "id": 3,
        "at": "2026-03-01T13:00:00Z",
        "actor": {"kind": "customer", "id": 1, "name": "boss"},
        "action": "product.updated",
        "subject": {"kind": "product", "id": 1},
        "before": {"stock": 0},
        "after": {"stock": 3},
        "withheld": [],
        "request_id": None,
        "previous_hash": previous,
    }


def test_what_the_shop_itself_did_has_no_name_and_no_request(boss: Caller) -> None:
    entry = boss.get("/admin/audit/5").json["entry"]

    assert entry["actor"] == {"kind": "system", "id": None, "name": None}
    assert (entry["request_id"], entry["after"]) == (None, None)
    assert (entry["before"], entry["withheld"]) == ({"state": "dead"}, ["payload"])


def test_who_was_erased_is_not_named_any_more(boss: Caller, make: Make) -> None:
    other = make.staff("other")
    assert boss.delete("/account").status == 200

    entry = other.get("/admin/audit/2").json["entry"]

    assert entry["actor"] == {"kind": "customer", "id": 1, "name": None}


def test_an_entry_that_is_not_there_is_not_found(boss: Caller) -> None:
    for name in ("6", "0", "99999999999999999999"):
        answer = boss.get(f"/admin/audit/{name}")
        assert (answer.status, answer.json["code"]) == (404, "audit_entry_not_found")


def test_a_filter_finds_what_it_names(boss: Caller) -> None:
    assert {query: ids(boss, query) for query in FILTERS} == FILTERS


def test_pages_go_from_the_newest_to_the_oldest(boss: Caller) -> None:
    first = boss.get("/admin/audit?limit=2&subject_kind=product")
    second = boss.get(f"/admin/audit?limit=2&subject_kind=product&after={first.json['pagination']['next']}")

    assert [entry["id"] for entry in first.json["entries"]] == [4, 3]
    assert [entry["id"] for entry in second.json["entries"]] == [2]
    assert second.json["pagination"] == {"next": None, "has_more": False, "limit": 2}
    assert 'rel="next"' in first.headers["Link"]


def test_a_bad_filter_is_refused_by_name(boss: Caller) -> None:
    answers = {query: boss.get(f"/admin/audit?{query}") for query in BAD}

    assert {answer.status for answer in answers.values()} == {422}
    assert {query: answer.json["errors"][0]["pointer"] for query, answer in answers.items()} == BAD
