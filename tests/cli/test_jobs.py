"""`flaskart jobs` and `flaskart worker`: what an operator sees of the queue, and does about it."""

import json
import signal
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from flaskart.kit import clock, leases
from flaskart.kit.db import Database
from flaskart.kit.jobs import enqueue
from flaskart.web.json import encode
from tests.accounts.sign_ins import rows_of
from tests.cli.shells import Shell
from tests.conftest import database_at
from tests.processes import wait_until
from tests.servers import FLASKART

HOUR = timedelta(hours=1)
NO_SUCH_JOB = "Error: no such job, or it is running: "


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """A queue: job 1 waits for its time, 2 is due, 3 runs, 4 is dead. Nobody asks for the invariants."""
    database = database_at(database_url)
    with database.write() as session:
        enqueue(session, "mail", {"order_id": 1}, run_at=clock.now() + HOUR)
    for number in (4, 3):  # the one to be parked is claimed first
        with database.write() as session:
            enqueue(session, "index", {"number": number}, run_at=clock.now() - HOUR * number)
    database.close()
    yield database
    database.close()


@pytest.fixture
def queue(db: Database) -> Database:
    with db.write() as session:
        dead = leases.claim_job(session, "a worker", HOUR)
        assert dead is not None
        leases.park(session, dead, "Broken: no luck")
        assert leases.claim_job(session, "a worker", HOUR)
        enqueue(session, "index", {"number": 1})
    return db


def listed(shop: Shell, *options: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(shop.done("jobs", "list", "--json", *options))
    return rows


def states(shop: Shell, *options: str) -> list[tuple[int, str]]:
    return [(row["id"], row["state"]) for row in listed(shop, *options)]


def test_jobs_are_listed_the_dead_first(shop: Shell, queue: Database) -> None:
    assert states(shop) == [(2, "dead"), (3, "running"), (4, "due"), (1, "waiting")]
    [dead] = listed(shop, "--state", "dead")
    assert datetime.fromisoformat(dead.pop("run_at")) <= clock.now()
    assert dead == {
        "id": 2,
        "name": "index",
        "state": "dead",
        "priority": 2,
        "attempts": 1,
        "payload": {"number": 4},
        "last_error": "Broken: no luck",
    }


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (("--state", "waiting"), [1]),
        (("--state", "due"), [4]),
        (("--state", "running"), [3]),
        (("--name", "mail"), [1]),
        (("--name", "index", "--state", "dead"), [2]),
        (("--name", "nothing"), []),
        (("--limit", "2"), [2, 3]),
    ],
    ids=lambda value: " ".join(map(str, value)),
)
def test_jobs_are_chosen_by_state_and_name(
    shop: Shell, queue: Database, options: tuple[str, ...], ids: list[int]
) -> None:
    assert [row["id"] for row in listed(shop, *options)] == ids


def test_a_dead_job_that_is_retried_is_due_and_begins_anew(shop: Shell, queue: Database) -> None:
    assert shop.done("jobs", "retry", "2") == "Retried 1 job\n"

    assert [(job["id"], job["attempts"]) for job in listed(shop, "--state", "due")] == [(4, 0), (2, 0)]


def test_a_job_that_waits_is_retried_at_once(shop: Shell, queue: Database) -> None:
    assert shop.done("jobs", "retry", "4", "1", "4") == "Retried 2 jobs\n"

    assert states(shop, "--state", "due") == [(1, "due"), (4, "due")]


def test_all_dead_jobs_are_retried_or_discarded_together(shop: Shell, queue: Database) -> None:
    assert shop.done("jobs", "retry", "--all-dead") == "Retried 1 job\n"
    assert shop.done("jobs", "discard", "--all-dead", "--yes") == "Discarded 0 jobs\n"


def test_a_discarded_job_is_gone(shop: Shell, queue: Database) -> None:
    assert shop.done("jobs", "discard", "2", "--yes") == "Discarded 1 job\n"

    assert [row["id"] for row in listed(shop)] == [3, 4, 1]


@pytest.mark.parametrize("command", [("retry",), ("discard", "--yes")], ids=" ".join)
def test_what_runs_or_is_not_there_is_refused_and_nothing_is_changed(
    shop: Shell, queue: Database, command: tuple[str, ...]
) -> None:
    before = rows_of(queue, "job")

    assert shop.refused("jobs", *command, "2", "3", "99") == f"{NO_SUCH_JOB}3, 99"

    assert encode(rows_of(queue, "job")) == encode(before)


@pytest.mark.parametrize("arguments", [("retry",), ("discard", "--yes"), ("retry", "2", "--all-dead")], ids=" ".join)
def test_which_jobs_are_meant_has_to_be_said(shop: Shell, queue: Database, arguments: tuple[str, ...]) -> None:
    result = shop.run("jobs", *arguments)

    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.endswith("Error: give either the ids of jobs or --all-dead\n")


def test_discarding_asks_first(shop: Shell, queue: Database) -> None:
    result = shop.run("jobs", "discard", "2", stdin="n\n")

    assert result.returncode == 1
    assert len(listed(shop)) == 4


def test_a_worker_does_what_is_due_and_stops_when_told(shop: Shell, queue: Database) -> None:
    process = subprocess.Popen(
        [FLASKART, "worker"], cwd=shop.folder, env=shop.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    wait_until(lambda: {row["name"] for row in rows_of(queue, "job") if row["run_at"]} >= {"privacy.forget"})
    wait_until(lambda: sum(row["parked_at"] is not None for row in rows_of(queue, "job")) == 2)

    process.send_signal(signal.SIGTERM)

    said, complaints = process.communicate(timeout=20)
    assert (process.returncode, said) == (0, b"The worker runs; Ctrl-C stops it.\n")
    assert b"job 4 (index), attempt 1: UnknownJob: this version has no job named index\n" in complaints
    assert (4, "dead") in states(shop)
