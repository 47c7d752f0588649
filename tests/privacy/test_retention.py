"""What is over is deleted, and the document says how long each thing is kept."""

import re
from datetime import timedelta
from pathlib import Path

from sqlalchemy import update

from flaskart.accounts.models import SignInRecord
from flaskart.kit import clock
from flaskart.kit.db import Database
from flaskart.migrations.tables import METADATA
from flaskart.privacy.jobs import JOBS, PERIODIC, forget
from flaskart.privacy.retention import LIMITS
from flaskart.web.counters import RateCounter
from flaskart.web.idempotency import IdempotencyKey
from tests.accounts.sign_ins import register_and_sign_in, rows_of
from tests.callers import Make
from tests.privacy.exports import asked_for, let_pass
from tests.privacy.planting import personal_columns

DOCUMENT = (Path(__file__).parents[2] / "docs/privacy.md").read_text(encoding="utf-8")


def documented() -> dict[str, str]:
    """Return how long each table's rows are kept, as the document says."""
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\| ([^|]*) \|", DOCUMENT, re.MULTILINE)
    return dict(rows)


def test_the_document_lists_the_tables_with_personal_columns_and_those_with_a_limit() -> None:
    personal = {str(column.table) for column in personal_columns()}

    assert documented().keys() == personal | {limit.table for limit in LIMITS}
    assert documented().keys() <= METADATA.tables.keys()


def test_the_document_says_how_long_things_are_kept() -> None:
    said = documented()

    assert {limit.table: limit.kept for limit in LIMITS} == {limit.table: said[limit.table] for limit in LIMITS}


def test_what_is_over_is_forgotten_and_the_rest_stays(make: Make, db: Database) -> None:
    alice, bob = register_and_sign_in(make, "alice").caller, register_and_sign_in(make, "bob").caller
    for caller, key in ((alice, "old"), (bob, "new")):
        assert caller.patch("/account", {}, Idempotency_Key=key).status == 200
    asked_for(alice)
    let_pass(db, timedelta(days=7, seconds=1))
    asked_for(bob)
    with db.write() as session:
        session.execute(
            update(IdempotencyKey)
            .where(IdempotencyKey.key == "old")
            .values(created_at=clock.now() - timedelta(hours=48, seconds=1))
        )
        session.execute(
            update(SignInRecord)
            .where(SignInRecord.customer_id == 1)
            .values(expires_at=clock.now() - timedelta(seconds=1))
        )
        for key, minutes in (("old", -1), ("new", 1)):
            session.add(RateCounter(key=key, count=1, expires_at=clock.now() + timedelta(minutes=minutes)))

    with db.write() as session:
        forget(session, {})

    assert [row["key"] for row in rows_of(db, "idempotency_key")] == ["new"]
    assert [row["customer_id"] for row in rows_of(db, "export")] == [2]
    assert {row["customer_id"] for row in rows_of(db, "sign_in")} == {2}
    assert [row["key"] for row in rows_of(db, "rate_counter")] == ["new"]


def test_what_is_periodic_has_a_handler() -> None:
    assert {"privacy.forget": timedelta(hours=1)} == PERIODIC
    assert PERIODIC.keys() <= JOBS.keys()
