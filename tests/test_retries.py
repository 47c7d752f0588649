"""Whatever the database loses half way is done once in the end: each failure, before every statement and at COMMIT."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, event, text

from flaskart.inventory.queries import lock_levels
from flaskart.kit.db import Database
from flaskart.web.http import KEY
from flaskart.web.openapi import ShopApp
from tests.callers import Answer, Caller, Make
from tests.databases import wait_until_blocked

LOST = ["40001", "40P01", "55P03", "25006"]
GONE = ["57P01", "57P02", "57P03", "08000", "08003", "08006", None]
# SQLite may be busy or locked, and has no connection to lose.
STATES: dict[str, Sequence[str | int | None]] = {
    "sqlite": [sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_BUSY_SNAPSHOT],
    "postgresql": [*LOST, *GONE],
}


def failure(engine: Engine, state: str | int | None) -> Exception:
    """Make the error as the driver raises it."""
    if isinstance(state, int):
        locked = sqlite3.OperationalError("database is locked")
        locked.sqlite_errorcode = state
        return locked
    return psycopg.OperationalError("lost") if state is None else psycopg.errors.lookup(state)("lost")


@contextmanager
def failing_before(engine: Engine, number: int, error: Exception) -> Iterator[list[Exception]]:
    """Raise `error` instead of the next statement but `number`, once; yield what is still to be raised."""
    ahead, pending = number, [error]

    def fail(_cursor: Any, _statement: str, _parameters: Any, _context: Any) -> None:
        nonlocal ahead
        if ahead == 0 and pending:
            raise pending.pop()
        ahead -= 1

    event.listen(engine, "do_execute", fail)
    yield pending
    event.remove(engine, "do_execute", fail)


def failing_at_commit(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, error: Exception, *, is_done: bool
) -> list[Exception]:
    """Raise `error` at the next COMMIT, which was done or not; return what is still to be raised."""
    commit: Callable[[Any], None] = engine.dialect.do_commit
    pending = [error]

    def fail(connection: Any) -> None:
        if not pending:
            return commit(connection)
        if is_done:
            commit(connection)
        raise pending.pop()

    monkeypatch.setattr(engine.dialect, "do_commit", fail)
    return pending


@pytest.fixture
def engine(app: ShopApp) -> Engine:
    engine: Engine = app.extensions[KEY].db.engine
    return engine


@pytest.fixture
def alice(make: Make) -> Caller:
    make.product(stock=1_000)
    return make.customer()


def order_again(alice: Caller, key: str) -> Answer:
    return alice.post("/orders", Idempotency_Key=key)


def states_of(engine: Engine) -> Sequence[str | int | None]:
    return STATES[engine.dialect.name]


def test_an_order_survives_each_failure_before_every_statement(engine: Engine, alice: Caller, make: Make) -> None:
    placed = 0
    for state in states_of(engine):
        for number in range(30):
            assert alice.post("/cart", {"product_id": 1}).status == 200
            with failing_before(engine, number, failure(engine, state)) as pending:
                answer = order_again(alice, f"{state} {number}")
            placed += 1
            if state == "55P03" and answer.status == 409:  # the key seemed to be in use: the client asks again
                assert answer.json["code"] == "request_in_flight"
                answer = order_again(alice, f"{state} {number}")

            assert answer.status == 201, (state, number, answer.body)
            assert len(make.everything()["order"]) == placed
            assert make.stock_of(1) == 1_000 - placed
            if pending:  # there were not so many statements
                break
        assert 10 < number < 20


@pytest.mark.parametrize("is_done", [False, True])
def test_an_order_under_a_key_survives_each_failure_at_commit(
    engine: Engine, alice: Caller, make: Make, monkeypatch: pytest.MonkeyPatch, is_done: bool
) -> None:
    """A lost connection leaves it open whether the COMMIT was done; any other failure says that it was not."""
    states = GONE if is_done else states_of(engine)
    for number, state in enumerate(states if engine.dialect.name == "postgresql" or not is_done else []):
        assert alice.post("/cart", {"product_id": 1}).status == 200
        with monkeypatch.context() as patch:
            pending = failing_at_commit(engine, patch, failure(engine, state), is_done=is_done)
            answer = order_again(alice, f"{state}")

        assert pending == []
        assert answer.status == 201, (state, answer.body)
        assert ("Idempotency-Replayed" in answer.headers) == is_done
        assert len(make.everything()["order"]) == number + 1
        assert make.stock_of(1) == 999 - number


@pytest.mark.parametrize("is_done", [False, True])
def test_without_a_key_a_lost_commit_is_told_and_not_repeated(
    engine: Engine, alice: Caller, make: Make, monkeypatch: pytest.MonkeyPatch, is_done: bool
) -> None:
    alice.post("/cart", {"product_id": 1})
    state = GONE[0] if engine.dialect.name == "postgresql" else sqlite3.SQLITE_BUSY

    with monkeypatch.context() as patch:
        failing_at_commit(engine, patch, failure(engine, state), is_done=is_done and engine.dialect.name != "sqlite")
        answer = alice.post("/orders")

    if engine.dialect.name == "sqlite":  # has no connection to lose: a COMMIT that was refused is tried again
        assert answer.status == 201
        assert len(make.everything()["order"]) == 1
    else:
        assert (answer.status, answer.json["code"]) == (503, "outcome_unknown")
        assert len(make.everything()["order"]) == is_done


def test_a_database_that_stays_lost_is_a_503_and_changes_nothing(
    engine: Engine, alice: Caller, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice.post("/cart", {"product_id": 1})
    before = make.everything()
    busy = failure(engine, states_of(engine)[0])

    def fail(_connection: Any) -> None:
        raise busy

    with monkeypatch.context() as patch:
        patch.setattr(engine.dialect, "do_commit", fail)
        answer = alice.post("/orders")

    assert (answer.status, answer.json["code"]) == (503, "database_busy")
    assert answer.headers["Retry-After"] == "1"
    assert make.everything() == before


@pytest.mark.parametrize(("headers", "status"), [({"Idempotency_Key": "one"}, 201), ({}, 503)])
def test_a_connection_that_is_cut_while_it_commits_is_a_failure_of_the_databases(
    alice: Caller, make: Make, db: Database, headers: dict[str, str], status: int
) -> None:
    """On SQLite there is no connection to cut: the order waits its turn and is placed."""
    alice.post("/cart", {"product_id": 1})

    with ThreadPoolExecutor(1) as pool:
        with db.write() as session:
            lock_levels(session, [1])
            ordering = pool.submit(alice.post, "/orders", **headers)
            wait_until_blocked(db)
            if db.engine.dialect.name == "postgresql":
                cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                assert session.scalars(text(cut)).all() == [True]
        answer = ordering.result()

    is_placed = status == 201 or db.engine.dialect.name == "sqlite"
    assert (answer.status, answer.json.get("code")) == ((201, None) if is_placed else (503, "outcome_unknown"))
    assert len(make.everything()["order"]) == is_placed
