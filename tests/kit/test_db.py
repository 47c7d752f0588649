"""One database class: what a read and a write promise on both engines."""

import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from flaskart.inventory.models import StockLocation
from flaskart.kit.db import MAX_TRIES, Database, TryAgain
from flaskart.kit.errors import DatabaseBusy


def names(db: Database) -> list[str]:
    with db.read() as session:
        return list(session.scalars(select(StockLocation.name).order_by(StockLocation.name)))


def lost(state: str) -> DBAPIError:
    """Make the error by which PostgreSQL says that a transaction lost."""

    class Lost(Exception):
        sqlstate = state

    return DBAPIError("UPDATE", {}, Lost())


def test_a_write_is_kept_when_its_block_ends(db: Database) -> None:
    with db.write() as session:
        session.add(StockLocation(name="Cellar"))

    assert names(db) == ["Cellar", "Main"]


def test_a_write_that_raises_leaves_nothing(db: Database) -> None:
    def fail_half_way() -> None:
        with db.write() as session:
            session.add(StockLocation(name="Cellar"))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()

    assert names(db) == ["Main"]


def test_a_commit_that_fails_is_an_error(db: Database) -> None:
    with pytest.raises(IntegrityError), db.write() as session:
        session.add(StockLocation(name="Main"))

    assert names(db) == ["Main"]


def test_connections_kept_for_reading_do_not_keep_writers_waiting(db: Database) -> None:
    with ExitStack() as reading:
        for _ in range(20):
            reading.enter_context(db.read())

    with db.write() as session:
        session.add(StockLocation(name="Cellar"))

    assert names(db) == ["Cellar", "Main"]


def test_foreign_keys_are_enforced(db: Database) -> None:
    with pytest.raises(IntegrityError), db.write() as session:
        session.execute(text("INSERT INTO cart_line (cart_id, variant_id, quantity) VALUES (7, 7, 1)"))


def test_no_update_is_lost_when_many_write_at_once(db: Database) -> None:
    with db.write() as session:
        session.execute(text("CREATE TABLE counter (n INTEGER)"))
        session.execute(text("INSERT INTO counter VALUES (0)"))

    def count_up() -> None:
        for _ in range(10):
            with db.write() as session:
                session.execute(text("UPDATE counter SET n = n + 1"))

    run_together([count_up] * 8)

    with db.write() as session:
        assert session.scalar(text("SELECT n FROM counter")) == 80
        session.execute(text("DROP TABLE counter"))


def test_a_reader_does_not_wait_for_a_writer(db: Database) -> None:
    with db.write() as session:
        session.add(StockLocation(name="Cellar"))
        session.flush()

        assert names(db) == ["Main"]

    assert names(db) == ["Cellar", "Main"]


@pytest.mark.parametrize("state", ["40001", "40P01", "23503"])
def test_a_transaction_that_lost_is_run_again(db: Database, state: str) -> None:
    failures: list[Exception] = [lost(state), TryAgain(), lost(state)]

    def work() -> str:
        if failures:
            raise failures.pop()
        return "done"

    assert db.retrying(work) == "done"
    assert failures == []


def test_retries_end(db: Database) -> None:
    tries = 0

    def work() -> None:
        nonlocal tries
        tries += 1
        raise TryAgain

    with pytest.raises(DatabaseBusy):
        db.retrying(work)

    assert tries == MAX_TRIES


def test_what_is_wrong_is_not_tried_again(db: Database) -> None:
    tries = 0

    def work() -> None:
        nonlocal tries
        tries += 1
        raise lost("23505")

    with pytest.raises(DBAPIError):
        db.retrying(work)

    assert tries == 1


def run_together(jobs: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_last_statement_that_finds_another_state_commits_nothing_and_leaves_the_connection_usable(
    db: Database,
) -> None:
    for rows, expected in ((2, ["Main"]), (1, ["Cellar"])):
        changed = update(StockLocation).where(StockLocation.name == "Main").values(name="Cellar")
        with suppress(TryAgain), db.write() as session:
            session.send_last(changed.returning(StockLocation.id), {}, rows=rows)

        assert names(db) == expected


def test_after_loading_much_the_planner_is_told(db: Database) -> None:
    db.analyze()

    if db.engine.dialect.name == "postgresql":
        with db.read() as session:
            told = text("SELECT count(*) FROM pg_stat_user_tables WHERE last_analyze IS NULL")
            assert session.scalar(told) == 0
