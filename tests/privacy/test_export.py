"""A person gets all that is kept about them, by a link that only they have."""

import json
import tracemalloc
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from flaskart.kit.db import Database
from flaskart.kit.jobs import Job
from flaskart.orders.models import Order, OrderEvent, OrderLine
from flaskart.privacy.actions import forget_expired_exports, issue_export_token, make_export
from flaskart.privacy.errors import ExportNotFound
from flaskart.privacy.jobs import make_export as make_export_by_job
from flaskart.privacy.models import Export
from tests.accounts.sign_ins import rows_of
from tests.callers import Caller, Make
from tests.privacy.exports import asked_for, exported, let_pass, link_to
from tests.privacy.planting import live, plant

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
# What is in no archive: hashes, other spellings of what is there, copies of it, a sealed secret, and
# what jobs are about: ids, and how they failed.
LEFT_OUT = {
    "customer.username_folded",
    "customer.email_folded",
    "customer.password_hash",
    "customer.totp_secret",
    "idempotency_key.fingerprint",
    "idempotency_key.body",
    "job.payload",
    "job.last_error",
    "export.archive",
}


def jobs_in(db: Database) -> Sequence[Any]:
    with db.read() as session:
        return session.execute(select(Job.name, Job.payload).order_by(Job.id)).all()


def test_an_export_is_asked_for_made_and_announced(make: Make, db: Database) -> None:
    with time_machine.travel(NOON, tick=False) as now:
        alice = make.customer()
        asked = alice.post("/account/export")
        now.shift(timedelta(minutes=10))

        make_export_by_job(db, {"export_id": 1})
        shown = alice.get("/account/exports")

    pending = {"id": 1, "state": "pending", "created_at": "2026-03-01T12:00:00Z", "expires_at": "2026-03-08T12:00:00Z"}
    assert (asked.status, asked.json) == (202, {"msg": "Export is being made", "export": pending})
    ready = pending | {"state": "ready", "expires_at": "2026-03-08T12:10:00Z"}
    assert (shown.status, shown.json) == (200, {"exports": [ready]})
    assert jobs_in(db) == [
        ("mail.verify_email", {"customer_id": 1}),
        ("privacy.export", {"export_id": 1}),
        ("mail.export_ready", {"export_id": 1}),
    ]


def test_an_export_has_all_that_is_kept_about_a_person_and_nothing_of_others(make: Make, db: Database) -> None:
    alice, bob = live(make, "alice"), live(make, "bob")
    of_alice, of_bob = plant(db, alice.customer_id, "canary-a"), plant(db, bob.customer_id, "canary-b")
    let_pass(db, timedelta(hours=1))

    archive = exported(make, alice).body.decode()

    expected = [marker for marker, column in of_alice.items() if column not in LEFT_OUT]
    assert [marker for marker in expected if marker not in archive] == []
    assert [marker for marker in of_alice if marker not in expected and marker in archive] == []
    assert [marker for marker in of_bob if marker in archive] == []


def test_an_archive_is_json_to_read(make: Make, db: Database) -> None:
    alice = live(make, "alice")
    let_pass(db, timedelta(hours=1))

    archive = json.loads(exported(make, alice).body)

    assert list(archive) == [
        *("made_at", "customer_id", "account", "sign_ins", "addresses", "consents", "identities", "api_keys"),
        *("orders", "carts", "requests"),
    ]
    [account] = archive["account"]
    assert (account["id"], account["username"], account["email"]) == (1, "alice", "alice@example.com")
    [address], [identity], [key] = archive["addresses"], archive["identities"], archive["api_keys"]
    assert (address["city"], identity["provider"], key["scopes"]) == ("Berlin", "acme", "orders.read")
    [order] = archive["orders"]
    assert (order["number"], order["total_minor"], order["currency"]) == ("1001", 1999, "USD")
    [line] = order["lines"]
    assert (line["product_name"], line["quantity"], line["unit_price_minor"]) == ("Mug of alice", 1, 1999)
    assert [event["kind"] for event in order["events"]] == ["placed"]
    assert [[line["quantity"] for line in cart["lines"]] for cart in archive["carts"]] == [[1], [2]]
    assert len(archive["requests"]) == 6


def test_a_download_is_a_file_that_nobody_keeps(make: Make) -> None:
    answer = exported(make, make.customer())

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="export-1.json"'
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("token", ["x", "0" * 43, "%00", "%F0%9F", "a" * 5_000])
def test_a_token_that_was_never_issued_is_a_404(make: Make, token: str) -> None:
    asked_for(make.customer())

    answer = make.anyone().get(f"/account/exports/{token}")

    assert (answer.status, answer.json["code"]) == (404, "export_not_found")


def test_a_link_expires(make: Make, db: Database) -> None:
    export_id = asked_for(make.customer())
    make_export(db, export_id)
    link = link_to(make, export_id)

    let_pass(db, timedelta(days=7, minutes=-1))
    assert make.anyone().get(link).status == 200
    let_pass(db, timedelta(minutes=1))
    assert make.anyone().get(link).json["code"] == "export_not_found"


def test_a_second_link_ends_the_first(make: Make) -> None:
    export_id = asked_for(make.customer())
    make_export(make.db, export_id)

    first, second = link_to(make, export_id), link_to(make, export_id)

    assert (make.anyone().get(first).status, make.anyone().get(second).status) == (404, 200)


def test_a_token_is_stored_only_as_a_hash(make: Make) -> None:
    export_id = asked_for(make.customer())
    make_export(make.db, export_id)

    token = link_to(make, export_id).rpartition("/")[2]

    assert len(token) == 43
    assert token not in repr(make.everything())


def test_there_is_no_token_before_the_export_is_made(make: Make, db: Database) -> None:
    export_id = asked_for(make.customer())

    for number in (export_id, export_id + 1):
        with pytest.raises(ExportNotFound), db.write() as session:
            issue_export_token(session, number)


def test_an_export_at_a_time_and_one_an_hour(make: Make, db: Database) -> None:
    alice, bob = make.customer(), make.customer("bob")
    export_id = asked_for(alice)
    let_pass(db, timedelta(hours=2))
    while_pending = alice.post("/account/export")
    make_export(db, export_id)
    let_pass(db, timedelta(minutes=-61))
    too_soon = alice.post("/account/export")
    assert bob.post("/account/export").status == 202

    let_pass(db, timedelta(minutes=2))
    after_an_hour = alice.post("/account/export")

    for refused, state in ((while_pending, "pending"), (too_soon, "ready")):
        assert (refused.status, refused.json["code"]) == (409, "export_too_soon")
        assert (refused.json["export_id"], refused.json["state"]) == (export_id, state)
    assert after_an_hour.status == 202
    assert len(rows_of(db, "export")) == 3


def test_a_new_export_replaces_the_one_before_once_it_is_ready(make: Make, db: Database) -> None:
    alice = make.customer()
    first = asked_for(alice)
    make_export(db, first)
    link = link_to(make, first)
    let_pass(db, timedelta(hours=2))
    second = asked_for(alice)
    assert make.anyone().get(link).status == 200

    make_export(db, second)

    assert make.anyone().get(link).status == 404
    assert [export["id"] for export in alice.get("/account/exports").json["exports"]] == [second]


def test_an_export_is_made_once_however_often_its_job_runs(make: Make, db: Database) -> None:
    export_id = asked_for(make.customer())

    make_export(db, export_id)
    made = rows_of(db, "export")
    make_export(db, export_id)

    assert rows_of(db, "export") == made
    assert jobs_in(db)[2:] == [("mail.export_ready", {"export_id": export_id})]


def test_sixteen_who_ask_at_once_get_one_export(make_over_http: Make, db: Database) -> None:
    alice = make_over_http.customer()

    with ThreadPoolExecutor(16) as pool:
        statuses = sorted(answer.status for answer in pool.map(lambda _: alice.post("/account/export"), range(16)))

    assert statuses == [202] + 15 * [409]
    assert len(rows_of(db, "export")) == 1


def test_the_database_itself_keeps_to_one_pending_export(make: Make, db: Database) -> None:
    alice = make.customer()
    asked_for(alice)
    again = {"customer_id": alice.customer_id, "state": "pending", "created_at": NOON, "expires_at": NOON}

    with pytest.raises(IntegrityError), db.write() as session:
        session.execute(insert(Export).values(again))


def test_nobody_sees_the_exports_of_others(make: Make) -> None:
    asked_for(make.customer())

    assert make.customer("bob").get("/account/exports").json == {"exports": []}
    assert make.anyone().get("/account/exports").status == 401
    assert make.anyone().post("/account/export").status == 401


def test_who_is_erased_while_their_export_is_made_has_none(make: Make, db: Database) -> None:
    alice = make.customer()
    export_id = asked_for(alice)
    alice.delete("/account")

    make_export(db, export_id)

    assert rows_of(db, "export") == []
    assert [name for name, _ in jobs_in(db)] == ["privacy.erase_again"]


def test_expired_exports_are_forgotten_made_or_not(make: Make, db: Database) -> None:
    make_export(db, asked_for(make.customer("alice")))
    asked_for(make.customer("bob"))
    let_pass(db, timedelta(days=7, seconds=1))
    asked_for(make.customer("carol"))

    with db.write() as session:
        forgotten = forget_expired_exports(session)

    assert forgotten == 2
    assert [row["id"] for row in rows_of(db, "export")] == [3]


def test_the_orders_of_ten_years_fit_in_a_little_memory(make: Make, db: Database) -> None:
    alice = make.customer()
    orders_of_many_years(db, alice, make.product(), 3_000)
    export_id = asked_for(alice)

    tracemalloc.start()
    make_export(db, export_id)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    document = make.anyone().get(link_to(make, export_id)).body
    assert len(json.loads(document)["orders"]) == 3_000
    assert peak < len(document) / 2


def orders_of_many_years(db: Database, buyer: Caller, mug: int, count: int) -> None:
    """Give a buyer orders of three lines each, written directly, since placing so many takes its time."""
    ids = range(1, count + 1)
    states = {
        "status": "canceled",
        "payment_status": "none",
        "fulfillment_status": "canceled",
        "return_status": "none",
    }
    totals = {"subtotal_minor": 300, "discount_total_minor": 0, "shipping_total_minor": 0, "tax_total_minor": 0}
    order = states | totals | {"currency": "USD", "items_count": 3, "total_minor": 300, "placed_at": NOON}
    counters = {"fulfilled": 0, "delivered": 0, "returned": 0, "canceled": 0}
    line = counters | {"sku": "S", "product_name": "Mug", "unit_price_minor": 100, "quantity": 1, "total_minor": 100}
    owner = {"customer_id": buyer.customer_id}
    event = owner | {"created_at": NOON}
    with db.write() as session:
        session.execute(
            insert(Order),
            [order | owner | {"id": n, "number": str(1000 + n), "cart_id": n, "email": "a@example.com"} for n in ids],
        )
        lines = [
            line | {"order_id": n, "position": p, "product_id": mug, "variant_id": 1} for n in ids for p in range(3)
        ]
        session.execute(insert(OrderLine), lines)
        kinds = ("placed", "canceled")
        session.execute(insert(OrderEvent), [event | {"order_id": n, "kind": kind} for n in ids for kind in kinds])
