"""Counters are exact wherever they are, and none outlives its time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest
import redis
import time_machine
from sqlalchemy import select, update

from flaskart.kit import clock
from flaskart.kit.db import Database
from flaskart.web.counters import (
    Counted,
    Counters,
    DatabaseCounters,
    Full,
    MemoryCounters,
    RateCounter,
    RedisCounters,
    forget_expired_counters,
)
from tests.redis_servers import redis_server

SECRET = b"a secret of the tests"
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(params=["memory", "database", "redis", "valkey"])
def counters(request: pytest.FixtureRequest, db: Database, redis_url: str) -> Counters:
    if request.param == "memory":
        return MemoryCounters()
    if request.param == "database":
        return DatabaseCounters(db, SECRET)
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    return RedisCounters(redis_url.replace("redis", request.param), SECRET)


def test_a_counter_stops_at_its_limit(counters: Counters) -> None:
    counted = [counters.add(["a"], 3, 60) for _ in range(3)]

    assert counted == [Counted(1, 60), Counted(2, 60), Counted(3, 60)]
    assert counters.add(["a"], 3, 60) == Full(60)
    assert counters.add(["b"], 3, 60) == Counted(1, 60)


def test_counters_are_counted_together_or_not_at_all(counters: Counters) -> None:
    counters.add(["a"], 2, 60)
    assert counters.add(["a", "b"], 2, 60) == Counted(2, 60)

    assert counters.add(["c", "a"], 2, 60) == Full(60)
    assert counters.add(["b", "a"], 2, 60) == Full(60)

    assert not counters.is_counted("c")
    assert counters.add(["b"], 2, 60) == Counted(2, 60)


def test_what_is_taken_back_was_not_counted(counters: Counters) -> None:
    counters.add(["a"], 2, 60)
    counters.add(["a", "b"], 2, 60)

    counters.take_back(["a", "b"])
    counters.take_back(["never counted"])

    assert counters.is_counted("a")
    assert not counters.is_counted("b")
    assert not counters.is_counted("never counted")
    assert counters.add(["a"], 2, 60) == Counted(2, 60)


def test_what_is_forgotten_begins_anew(counters: Counters) -> None:
    counters.add(["a"], 2, 60)
    counters.add(["a", "b"], 2, 60)

    counters.take_back(["b"], forget=["a", "never counted"])

    assert not counters.is_counted("a")
    assert counters.add(["a"], 2, 60) == Counted(1, 60)


def test_of_many_at_once_as_many_are_counted_as_there_may_be(counters: Counters) -> None:
    start = Barrier(32)

    def add(number: int) -> bool:
        start.wait()
        keys = ["a", "b"] if number % 2 else ["b", "a"]
        return isinstance(counters.add(keys, 10, 60), Counted)

    with ThreadPoolExecutor(32) as pool:
        counted = list(pool.map(add, range(32)))

    assert sum(counted) == 10
    assert isinstance(counters.add(["a"], 10, 60), Full)


@pytest.mark.parametrize("is_shared", [False, True], ids=["memory", "database"])
def test_a_counter_is_forgotten_when_its_time_is_over(db: Database, is_shared: bool) -> None:
    counters = DatabaseCounters(db, SECRET) if is_shared else MemoryCounters()
    with time_machine.travel(NOON, tick=False) as now:
        counters.add(["a"], 2, 60)
        now.shift(59)
        counters.add(["a"], 2, 60)
        assert counters.add(["a"], 2, 60) == Full(1)

        now.shift(1)

        assert not counters.is_counted("a")
        assert counters.add(["a"], 2, 60) == Counted(1, 60)


def test_redis_forgets_a_counter_by_itself(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()

        RedisCounters(redis_url, SECRET).add(["a"], 2, 60)

        [left] = [client.ttl(key) for key in client.keys("*")]

    assert 58 <= left <= 60


def test_neither_database_nor_redis_learns_what_is_counted(db: Database, redis_url: str) -> None:
    DatabaseCounters(db, SECRET).add(["alice@example.com"], 2, 60)
    RedisCounters(redis_url, SECRET).add(["alice@example.com"], 2, 60)

    with db.read() as session:
        [key] = session.scalars(select(RateCounter.key)).all()
    with redis.Redis.from_url(redis_url) as client:
        keys = b" ".join(client.keys("*"))
    assert len(key) == 32
    assert key.encode() in keys
    assert b"alice" not in keys


def test_who_counts_with_another_secret_counts_something_else(db: Database) -> None:
    DatabaseCounters(db, SECRET).add(["a"], 2, 60)

    assert not DatabaseCounters(db, b"another secret").is_counted("a")


def test_without_redis_a_process_counts_by_itself(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with redis_server(tmp_path) as url:
        counters = RedisCounters(url, SECRET)
        assert counters.add(["a"], 2, 60) == Counted(1, 60)

    counted = [counters.add(["a"], 2, 60) for _ in range(3)]
    counters.take_back(["a"])

    assert counted == [Counted(1, 60), Counted(2, 60), Full(60)]
    assert counters.add(["a"], 2, 60) == Counted(2, 60)
    assert counters.is_counted("a")
    [record] = caplog.records
    assert record.getMessage().startswith("rate limits are counted by each process alone, Redis says: ")


def test_memory_holds_so_many_counters_and_no_more() -> None:
    counters = MemoryCounters(max_counters=100)

    for number in range(1_000):
        counters.add([str(number)], 2, 60)

    assert [number for number in range(1_000) if counters.is_counted(str(number))] == list(range(900, 1_000))


def test_expired_rows_are_deleted_and_others_stay(db: Database) -> None:
    counters = DatabaseCounters(db, SECRET)
    counters.add(["old"], 2, 60)
    with db.write() as session:
        session.execute(update(RateCounter).values(expires_at=clock.now() - timedelta(seconds=1)))
    counters.add(["new"], 2, 60)

    with db.write() as session:
        forgotten = forget_expired_counters(session)

    assert forgotten == 1
    assert counters.is_counted("new")
