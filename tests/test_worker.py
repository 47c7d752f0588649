"""The worker: what it does first, once, again, and not any more."""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from inspect import signature
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import time_machine
from sqlalchemy import Connection, event, select, text
from sqlalchemy.exc import IntegrityError

from flaskart import worker as flaskart_worker
from flaskart.kit import clock, leases
from flaskart.kit.db import Database, Session, TryAgain
from flaskart.kit.errors import DatabaseUnavailable
from flaskart.kit.jobs import Handler, Job, Payload, Priority, enqueue, see_queue
from flaskart.kit.leases import LeaseLost
from flaskart.worker import MAX_ATTEMPTS, Worker, describe, wait_seconds
from tests.conftest import database_at
from tests.counting import count, effects, jobs_left, prepare, told_in, working
from tests.databases import POSTGRES_URL, run_on_server
from tests.processes import wait_until
from tests.test_architecture import SOURCE
from tests.workers import shops_worker

HOUR = timedelta(hours=1)


class Broken(Exception):
    """What the jobs of these tests fail with."""


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """The database. Jobs may be dead in the end, so nobody asks for its invariants."""
    database = database_at(database_url)
    prepare(database)
    yield database
    database.close()


def worker_for(db: Database, *, lease: timedelta = timedelta(minutes=1), **handlers: Handler) -> Worker:
    return Worker(db, {"count": count} | handlers, lease=lease)


def add(db: Database, number: int, name: str = "count", **options: object) -> None:
    with db.write() as session:
        enqueue(session, name, {"number": number}, **options)  # type: ignore[arg-type]


def only_job(db: Database) -> Job:
    with db.read() as session:
        return session.scalars(select(Job)).one()


def make_due(db: Database) -> None:
    with db.write() as session:
        session.execute(text("UPDATE job SET run_at = '2026-01-01 00:00:00.000000'"))


def fail(session: Session, payload: Payload) -> None:
    count(session, payload)
    raise Broken("no luck")


def test_a_job_is_done_once_and_gone(db: Database) -> None:
    add(db, 7)
    worker = worker_for(db)

    done = [worker.run_next() for _ in range(2)]

    assert done == [True, False]
    assert (effects(db), jobs_left(db)) == ([7], 0)


def test_what_is_rolled_back_leaves_no_job(db: Database) -> None:
    def enqueue_and_fail() -> None:
        with db.write() as session:
            enqueue(session, "count", {"number": 7})
            raise Broken

    with pytest.raises(Broken):
        enqueue_and_fail()

    assert jobs_left(db) == 0


def test_a_job_is_not_begun_before_its_time(db: Database) -> None:
    add(db, 7, run_at=clock.now() + HOUR)

    assert not worker_for(db).run_next()
    make_due(db)
    assert worker_for(db).run_next()


def test_the_urgent_go_first_then_the_oldest(db: Database) -> None:
    order: list[int] = []
    for number, priority in enumerate([Priority.LOW, Priority.NORMAL, Priority.HIGH, Priority.NORMAL, Priority.HIGH]):
        add(db, number, "note", priority=priority)

    def note(session: Session, payload: Payload) -> None:
        order.append(payload["number"])

    worker = worker_for(db, note=note)
    while worker.run_next():
        pass

    assert order == [2, 4, 1, 3, 0]


def test_a_job_that_fails_has_no_effect_and_is_tried_later(db: Database) -> None:
    add(db, 7, "fail")
    before = clock.now()

    assert worker_for(db, fail=fail).run_next()

    job = only_job(db)
    assert (job.attempts, job.last_error, job.parked_at, job.leased_by) == (1, "Broken: no luck", None, None)
    assert before - timedelta(seconds=1) <= job.run_at <= clock.now() + timedelta(seconds=10)
    assert effects(db) == []


def test_a_job_that_fails_again_and_again_is_given_up_and_keeps_its_error(db: Database) -> None:
    add(db, 7, "fail")
    worker = worker_for(db, fail=fail)

    for _ in range(MAX_ATTEMPTS):
        make_due(db)
        assert worker.run_next()
    make_due(db)

    assert not worker.run_next()
    job = only_job(db)
    assert (job.attempts, job.last_error) == (MAX_ATTEMPTS, "Broken: no luck")
    assert job.parked_at is not None
    with db.read() as session:
        assert see_queue(session).dead == 1


def test_a_job_that_this_version_does_not_know_is_given_up_at_once_and_says_why(db: Database) -> None:
    add(db, 7, "fly")

    assert worker_for(db).run_next()

    job = only_job(db)
    assert job.parked_at is not None
    assert job.last_error == "UnknownJob: this version has no job named fly"


def test_a_job_that_ends_its_worker_each_time_is_given_up(db: Database) -> None:
    add(db, 7)
    for _ in range(MAX_ATTEMPTS):
        with db.write() as session:
            assert leases.claim_job(session, "a worker that is killed", timedelta(0))

    assert worker_for(db).run_next()

    assert only_job(db).parked_at is not None
    assert only_job(db).last_error == "WorkerLost: the worker ended while it ran the job, again and again"
    assert effects(db) == []


def test_a_transaction_that_loses_is_run_again_at_once(db: Database) -> None:
    add(db, 7, "lose")
    losses = [TryAgain(), TryAgain()]

    def lose(session: Session, payload: Payload) -> None:
        count(session, payload)
        if losses:
            raise losses.pop()

    assert worker_for(db, lose=lose).run_next()

    assert (effects(db), jobs_left(db)) == ([7], 0)


def test_a_job_that_talks_to_the_outside_has_no_transaction_open(db: Database) -> None:
    add(db, 7, "tell")

    def tell(db: Database, payload: Payload) -> None:
        with db.write() as session:  # on SQLite it would wait for ever for another one
            count(session, payload)

    assert worker_for(db, tell=tell).run_next()

    assert (effects(db), jobs_left(db)) == ([7], 0)


def test_a_worker_whose_lease_is_over_changes_nothing(db: Database) -> None:
    add(db, 7)
    with db.write() as session:
        slow = leases.claim_job(session, "slow", timedelta(0))
    with db.write() as session:
        fast = leases.claim_job(session, "fast", HOUR)
    assert slow is not None
    assert fast is not None

    def count_and_end(session: Session) -> None:
        count(session, slow.payload)
        leases.end_job(session, slow)

    changes: list[Callable[[Session], None]] = [
        count_and_end,
        lambda session: leases.put_off(session, slow, "too late", seconds=9),
        lambda session: leases.park(session, slow, "too late"),
        lambda session: leases.extend_lease(session, slow, HOUR),
    ]
    for change in changes:
        with pytest.raises(LeaseLost), db.write() as session:
            change(session)

    assert (effects(db), only_job(db).leased_by) == ([], "fast")


def test_the_lease_is_renewed_while_a_job_runs(db: Database) -> None:
    add(db, 7, "take")
    lease = timedelta(seconds=0.6)
    taken: list[bool] = []

    def take(db: Database, payload: Payload) -> None:
        begun = only_job(db).leased_until
        wait_until(lambda: only_job(db).leased_until > begun + lease)  # type: ignore[operator]
        taken.append(worker_for(db).run_next())

    assert worker_for(db, take=take, lease=lease).run_next()

    assert (taken, jobs_left(db)) == ([False], 0)


def test_several_workers_share_the_jobs(db: Database) -> None:
    with db.write() as session:
        for number in range(60):
            enqueue(session, "count", {"number": number})

    def work(_number: int) -> None:
        worker = worker_for(db)
        while worker.run_next():
            pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))

    assert effects(db) == list(range(60))


def test_several_workers_do_a_periodic_job_once_a_period(db: Database) -> None:
    def note(session: Session, payload: Payload) -> None:
        count(session, {"number": 7})

    def start_and_work(_number: int) -> None:
        worker = Worker(db, {"note": note}, {"note": HOUR})
        worker.set_up()
        while worker.run_next():
            pass

    for period in (1, 2):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(start_and_work, range(4)))

        assert effects(db) == [7] * period
        job = only_job(db)
        assert HOUR - timedelta(minutes=1) < job.run_at - clock.now() <= HOUR
        make_due(db)


def test_a_periodic_job_that_fails_is_tried_again_like_any_other(db: Database) -> None:
    def break_down(session: Session, payload: Payload) -> None:
        raise Broken("no luck")

    worker = Worker(db, {"break down": break_down}, {"break down": HOUR})
    worker.set_up()

    assert worker.run_next()

    job = only_job(db)
    assert (job.attempts, job.last_error, job.parked_at) == (1, "Broken: no luck", None)
    assert job.run_at <= clock.now() + timedelta(seconds=10)


@pytest.mark.parametrize("hours", [-2, 2])
def test_the_clock_of_the_web_host_does_not_matter(db: Database, hours: int) -> None:
    with time_machine.travel(clock.now() + timedelta(hours=hours)):
        add(db, 7)
        with db.write() as session:
            assert leases.claim_job(session, "first", HOUR)
        with db.write() as session:
            assert leases.claim_job(session, "second", HOUR) is None

    job = only_job(db)
    assert job.leased_until is not None
    assert abs(job.leased_until - HOUR - clock.now()) < timedelta(minutes=1)


def test_the_queue_tells_for_how_long_a_job_has_waited(db: Database) -> None:
    add(db, 7, run_at=clock.now() - HOUR)
    add(db, 8, run_at=clock.now() + HOUR)

    with db.read() as session:
        assert 3_599 < see_queue(session).lag_seconds < 3_660
    assert worker_for(db).run_next()
    with db.read() as session:
        assert see_queue(session).lag_seconds == 0


def test_waits_double_up_to_six_hours_and_are_spread(db: Database) -> None:
    waits = {attempts: [wait_seconds(attempts) for _ in range(2_000)] for attempts in (1, 2, 5, MAX_ATTEMPTS)}

    for attempts, bound in {1: 10, 2: 20, 5: 160, MAX_ATTEMPTS: 21_600}.items():
        assert 0 <= min(waits[attempts]) < bound * 0.1
        assert bound * 0.9 < max(waits[attempts]) <= bound


@pytest.mark.parametrize(
    ("failure", "kept"),
    [
        (Broken("first line\nsecond line"), "Broken: first line"),
        (Broken(), "Broken"),
        (Broken("x" * 1_000), f"Broken: {'x' * 492}"),
        (
            Broken("GET https://shop:hush@example.com/a?token=hush failed"),
            "Broken: GET https://…@example.com/a?… failed",
        ),
        (Broken("what is this? a=b"), "Broken: what is this? a=b"),
        (
            IntegrityError("INSERT", {"password": "hush"}, Exception("duplicate key\nDETAIL: (email)=(a@b.c)")),
            "IntegrityError: duplicate key",
        ),
    ],
)
def test_of_an_error_no_secret_is_kept(failure: Exception, kept: str) -> None:
    assert describe(failure) == kept


def test_an_idle_worker_sends_one_read(db: Database) -> None:
    worker = worker_for(db)
    sent: list[str] = []

    def note(_connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    assert not worker.run_next()
    event.remove(db.engine, "before_cursor_execute", note)

    [statement] = sent
    assert statement.startswith("SELECT")


@contextmanager
def out_of_reach(db: Database) -> Iterator[None]:
    """Let nobody into the database while the block runs."""
    db.close()
    if db.engine.dialect.name == "sqlite":
        folder = Path(str(db.url.database)).parent
        away = folder.rename(folder.with_name("away"))
        yield
        away.rename(folder)
        return
    server, name = os.environ[POSTGRES_URL], db.url.database
    run_on_server(server, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    yield
    run_on_server(server, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def test_a_worker_goes_on_when_its_database_is_back(
    db: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flaskart_worker, "OUTAGE_SECONDS", 0.01)
    stop = Event()
    add(db, 7)

    with ThreadPoolExecutor(1) as pool:
        with out_of_reach(db):
            working = pool.submit(worker_for(db).work, stop)
            wait_until(lambda: bool(caplog.records))
        wait_until(lambda: jobs_left(db) == 0)
        stop.set()
        working.result()

    assert effects(db) == [7]
    assert {record.getMessage() for record in caplog.records} == {f"no job can be run: {DatabaseUnavailable.message}"}


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_told_to_stop_finishes_its_job_and_begins_no_other(
    db: Database, database_url: str, tmp_path: Path, stop: signal.Signals
) -> None:
    for number in (7, 8):
        add(db, number, "wait")

    with working(database_url, tmp_path) as process:
        wait_until((tmp_path / "begun").exists)
        process.send_signal(stop)
        (tmp_path / "go on").touch()

        assert process.wait(timeout=20) == 0

    assert (told_in(tmp_path), jobs_left(db)) == ([7], 1)


def is_pending(pid: int, number: signal.Signals) -> bool:
    """Tell whether a process has a signal that none of its threads has taken yet."""
    [pending] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("ShdPnd:")]
    return bool(int(pending.split()[1], 16) >> (number - 1) & 1)


def test_a_second_signal_ends_a_worker_and_its_job_comes_back(db: Database, database_url: str, tmp_path: Path) -> None:
    add(db, 7, "wait")

    with working(database_url, tmp_path) as process:
        wait_until((tmp_path / "begun").exists)
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: not is_pending(process.pid, signal.SIGTERM))
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 128 + signal.SIGTERM

    (tmp_path / "go on").touch()
    with working(database_url, tmp_path):
        wait_until(lambda: jobs_left(db) == 0)
    assert told_in(tmp_path) == [7]


def test_the_shops_worker_knows_the_jobs_of_every_room(db: Database) -> None:
    rooms = {path.parent.name for path in SOURCE.glob("*/jobs.py")} - {"kit", "cli"}

    worker = shops_worker(db)

    assert {room.__name__.split(".")[1] for room in flaskart_worker.ROOMS} == rooms - {"notifications"}
    assert worker.periods.keys() <= worker.handlers.keys()
    assert {next(iter(signature(handler).parameters)) for handler in worker.handlers.values()} <= {"session", "db"}
    assert {name.partition(".")[0] for name in worker.handlers} <= rooms | {"mail"}


def test_the_shops_own_jobs_run(db: Database) -> None:
    worker = shops_worker(db)
    worker.set_up()

    while worker.run_next():
        pass

    with db.read() as session:
        jobs = session.scalars(select(Job)).all()
    assert {job.name for job in jobs} == worker.periods.keys()
    assert all(job.attempts == 0 and job.last_error is None and job.run_at > clock.now() for job in jobs)


def test_a_job_that_is_neither_inside_nor_outside_a_transaction_is_refused(db: Database) -> None:
    def odd(payload: Payload, session: Session) -> None:
        raise AssertionError

    add(db, 7, "odd")

    assert worker_for(db, odd=odd).run_next()  # type: ignore[arg-type]

    assert only_job(db).last_error == "TypeError: the first argument of a job is `session` or `db`, not payload"
