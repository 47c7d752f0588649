"""Health checks, and what happens when the database is not there."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from flaskart.app import create_app
from flaskart.kit import clock, leases
from flaskart.kit.db import Database
from flaskart.kit.jobs import enqueue
from flaskart.migrations import runner
from flaskart.settings import Settings
from tests.callers import Caller, in_process
from tests.servers import SECRET

NOWHERE = ["sqlite:////nonexistent/folder/shop.db", "postgresql://nobody@127.0.0.1:1/nothing"]


def caller_of(url: str, folder: Path) -> Caller:
    settings = Settings(_env_file=None, instance=folder, database_url=url, secret_key=SecretStr(SECRET))
    return Caller(in_process(create_app(settings).test_client()))


def test_a_migrated_shop_is_healthy_and_ready(anyone: Caller) -> None:
    assert anyone.get("/healthz").json == {"status": "ok"}
    assert anyone.get("/readyz").json == {"status": "ok", "jobs": {"lag_seconds": 0, "dead": 0}}


def test_a_shop_with_dead_and_late_jobs_says_so_and_is_ready(anyone: Caller, db: Database) -> None:
    with db.write() as session:
        for hours in (2, 1):
            enqueue(session, "mail", {}, run_at=clock.now() - timedelta(hours=hours))
    with db.write() as session:
        dead = leases.claim_job(session, "a worker", timedelta(minutes=1))
        assert dead is not None
        leases.park(session, dead, "Broken")

    answer = anyone.get("/readyz")
    with db.write() as session:
        session.execute(text("DELETE FROM job"))

    assert (answer.status, answer.json["status"], answer.json["jobs"]["dead"]) == (200, "ok", 1)
    assert 3_600 <= answer.json["jobs"]["lag_seconds"] < 3_700


def test_a_shop_of_another_schema_is_not_ready(anyone: Caller, db: Database) -> None:
    runner.downgrade(db, "0005")

    answer = anyone.get("/readyz")
    runner.upgrade(db)

    assert (answer.status, answer.json["code"]) == (503, "not_migrated")


def test_a_shop_that_was_never_migrated_is_not_ready(anyone: Caller, db: Database) -> None:
    runner.downgrade(db, "base")
    with db.engine.connect() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
        connection.commit()

    answer = anyone.get("/readyz")
    runner.upgrade(db)

    assert (answer.status, answer.json["code"]) == (503, "not_migrated")


@pytest.mark.parametrize("url", NOWHERE)
def test_an_unreachable_database_is_a_503_that_says_when_to_come_back(url: str, tmp_path: Path) -> None:
    anyone = caller_of(url, tmp_path)

    for path in ("/readyz", "/products", "/products/1"):
        answer = anyone.get(path)

        assert (answer.status, answer.json["code"]) == (503, "database_unavailable")
        assert answer.headers["Retry-After"] == "1"
    assert anyone.get("/healthz").status == 200
