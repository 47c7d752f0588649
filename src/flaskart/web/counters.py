"""Counters of what happened lately, in this process, in the shop's database or in Redis: each bounded, each expiring.

A counter begins with the first thing it counts and is forgotten `seconds` later.
"""

import hmac
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from threading import Lock
from typing import Protocol, TypeVar

from cachetools import TLRUCache
from sqlalchemy import Executable, Index, String, and_, bindparam, case, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from flaskart.kit import clock
from flaskart.kit.db import Database, Session
from flaskart.kit.tables import Id, Table

Answer = TypeVar("Answer")
MAX_COUNTERS = 100_000  # about 20 MB
KEY_LENGTH = 32
REDIS_TIMEOUT_SECONDS = 0.5
REDIS_PAUSE_SECONDS = 10
log = logging.getLogger(__name__)


class RateCounter(Table):
    """How often something happened since the counter began; `key` is a keyed hash of what is counted."""

    __tablename__ = "rate_counter"
    __table_args__ = (
        Index("uq_rate_counter_key", "key", unique=True),
        Index("ix_rate_counter_expires_at", "expires_at"),
    )

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(String(KEY_LENGTH))
    count: Mapped[int]
    expires_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Full:
    """Nothing was counted, since a counter stands at its limit; it is forgotten in so many seconds."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Counted:
    """The highest count, and in how many seconds that counter is forgotten."""

    count: int
    seconds: int


class Counters(Protocol):
    """Where counters are. Threads and processes may call at once; outside a transaction."""

    def add(self, keys: Sequence[str], limit: int, seconds: int) -> Counted | Full:
        """Add one to each counter, or to none if any of them stands at its limit."""

    def take_back(self, keys: Sequence[str], *, forget: Sequence[str] = ()) -> None:
        """Undo an `add` of some counters, and forget others."""

    def is_counted(self, key: str) -> bool:
        """Tell whether there is anything on a counter."""


@dataclass(slots=True)
class _Window:
    count: int
    ends_at: float


class MemoryCounters:
    """Counters of this process alone. When there are too many, those not used for longest are forgotten."""

    def __init__(self, max_counters: int = MAX_COUNTERS) -> None:
        self._lock = Lock()
        self._windows: TLRUCache[str, _Window] = TLRUCache(
            max_counters, ttu=lambda _key, window, _now: window.ends_at, timer=time.time
        )

    def add(self, keys: Sequence[str], limit: int, seconds: int) -> Counted | Full:
        now = time.time()
        with self._lock:
            windows = [self._windows.get(key) or _Window(0, now + seconds) for key in keys]
            fullest = max(windows, key=lambda window: (window.count, window.ends_at))
            left = ceil(fullest.ends_at - now)
            if fullest.count >= limit:
                return Full(left)
            for key, window in zip(keys, windows, strict=True):
                window.count += 1
                if window.count == 1:
                    self._windows[key] = window
            return Counted(fullest.count, left)

    def take_back(self, keys: Sequence[str], *, forget: Sequence[str] = ()) -> None:
        with self._lock:
            for key in keys:
                window = self._windows.get(key)
                if window is not None:
                    window.count -= 1
                    if window.count == 0:
                        del self._windows[key]
            for key in forget:
                self._windows.pop(key, None)

    def is_counted(self, key: str) -> bool:
        with self._lock:
            return key in self._windows


class _IsFull(Exception):
    """Ends the transaction, so that nothing was counted."""


class DatabaseCounters:
    """Counters in the shop's own database, which all its processes share: exact, two short transactions an attempt."""

    def __init__(self, database: Database, secret: bytes) -> None:
        self._db = database
        self._secret = secret

    def add(self, keys: Sequence[str], limit: int, seconds: int) -> Counted | Full:
        now = clock.now()
        values = {"now": now, "expires_at": now + timedelta(seconds=seconds), "at_most": limit}
        counted: list[tuple[int, datetime]] = []
        digests = sorted(_digest(self._secret, key) for key in keys)  # always in one order: no deadlocks
        try:
            with self._db.write() as session:
                for digest in digests:
                    row = session.send(_ADD, {**values, "counter": digest}).one_or_none()
                    if row is None:
                        raise _IsFull
                    counted.append((row[0], row[1]))
        except _IsFull:
            return Full(self._seconds_left(digests, limit, now))
        count, ends_at = max(counted)
        return Counted(count, ceil((ends_at - now).total_seconds()))

    def take_back(self, keys: Sequence[str], *, forget: Sequence[str] = ()) -> None:
        steps: list[tuple[str, Executable]] = [(_digest(self._secret, key), _TAKE_BACK) for key in keys]
        steps += [(_digest(self._secret, key), _FORGET) for key in forget]
        with self._db.write() as session:
            for digest, statement in sorted(steps, key=lambda step: step[0]):
                session.send(statement, {"counter": digest})

    def is_counted(self, key: str) -> bool:
        with self._db.read() as session:
            found = {"counter": _digest(self._secret, key), "now": clock.now()}
            return session.send(_FIND, found).one_or_none() is not None

    def _seconds_left(self, digests: Sequence[str], limit: int, now: datetime) -> int:
        full = and_(RateCounter.key.in_(digests), RateCounter.count >= limit)
        with self._db.read() as session:
            ends_at = session.scalars(select(func.max(RateCounter.expires_at)).where(full)).one()
        return 1 if ends_at is None else max(1, ceil((ends_at - now).total_seconds()))


class RedisCounters:
    """Counters in Redis or Valkey, which all processes on all machines share.

    While it cannot be reached, each process counts by itself, and asks again every ten seconds.
    """

    def __init__(self, url: str, secret: bytes) -> None:
        import redis  # noqa: PLC0415 - the extra `redis`, which speaks to both

        timeouts = {"socket_timeout": REDIS_TIMEOUT_SECONDS, "socket_connect_timeout": REDIS_TIMEOUT_SECONDS}
        self._redis = redis.Redis.from_url(url.replace("valkey", "redis", 1), **timeouts)
        self._failure = redis.RedisError
        self._run_add = self._redis.register_script(_REDIS_ADD)
        self._run_take_back = self._redis.register_script(_REDIS_TAKE_BACK)
        self._secret = secret
        self._own = MemoryCounters()
        self._is_away_until = 0.0

    def add(self, keys: Sequence[str], limit: int, seconds: int) -> Counted | Full:
        return self._asked(lambda: self._add(keys, limit, seconds), lambda: self._own.add(keys, limit, seconds))

    def take_back(self, keys: Sequence[str], *, forget: Sequence[str] = ()) -> None:
        names = self._names([*keys, *forget])
        self._asked(lambda: self._run_take_back(names, [len(keys)]), lambda: self._own.take_back(keys, forget=forget))

    def is_counted(self, key: str) -> bool:
        [name] = self._names([key])
        return self._asked(lambda: bool(self._redis.exists(name)), lambda: self._own.is_counted(key))

    def _add(self, keys: Sequence[str], limit: int, seconds: int) -> Counted | Full:
        count, milliseconds = self._run_add(self._names(keys), [limit, seconds])
        left = max(1, ceil(milliseconds / 1_000))
        return Counted(count, left) if count else Full(left)

    def _names(self, keys: Sequence[str]) -> list[str]:
        return [f"flaskart:{_digest(self._secret, key)}" for key in keys]

    def _asked(self, redis: Callable[[], Answer], own: Callable[[], Answer]) -> Answer:
        """Call `redis`, or `own` while Redis is away."""
        if time.monotonic() < self._is_away_until:
            return own()
        try:
            return redis()
        except self._failure as failure:
            self._is_away_until = time.monotonic() + REDIS_PAUSE_SECONDS
            log.error("rate limits are counted by each process alone, Redis says: %s", failure)
            return own()


def counters_at(storage: str, database: Database, secret: bytes) -> Counters:
    """Return the counters that a setting names: `memory`, `database` or the URL of a Redis."""
    if storage == "memory":
        return MemoryCounters()
    return DatabaseCounters(database, secret) if storage == "database" else RedisCounters(storage, secret)


def forget_expired_counters(session: Session) -> int:
    """Delete the counters that are past their time; return how many there were. They count no more as it is."""
    expired = delete(RateCounter).where(RateCounter.expires_at < clock.now())
    return len(session.execute(expired.returning(RateCounter.id)).all())


def _digest(secret: bytes, key: str) -> str:
    """Return what is stored for a key, so that nobody reads names and addresses there."""
    return hmac.digest(secret, b"rate limit\0" + key.encode(), "sha256").hex()[:KEY_LENGTH]


# Put together once: building them takes longer than running them. PostgreSQL's INSERT knows SQLite's dialect, too.
_IS_OVER = RateCounter.expires_at <= bindparam("now")
_ADD = (
    insert(RateCounter)
    .values(key=bindparam("counter"), count=1, expires_at=bindparam("expires_at"))
    .on_conflict_do_update(
        index_elements=["key"],
        set_={
            "count": case((_IS_OVER, 1), else_=RateCounter.count + 1),
            "expires_at": case((_IS_OVER, bindparam("expires_at")), else_=RateCounter.expires_at),
        },
        where=or_(_IS_OVER, RateCounter.count < bindparam("at_most")),
    )
    .returning(RateCounter.count, RateCounter.expires_at)
)
_TAKE_BACK = (
    update(RateCounter)
    .where(RateCounter.key == bindparam("counter"), RateCounter.count > 0)
    .values(count=RateCounter.count - 1)
)
_FORGET = delete(RateCounter).where(RateCounter.key == bindparam("counter"))
_FIND = select(RateCounter.id).where(
    RateCounter.key == bindparam("counter"), RateCounter.count > 0, RateCounter.expires_at > bindparam("now")
)

# Redis runs a script as one step. Adding returns the highest count, 0 for full, and the milliseconds it has left.
_REDIS_ADD = """
local limit, seconds = tonumber(ARGV[1]), tonumber(ARGV[2])
local most, left = 0, 0
for _, key in ipairs(KEYS) do
  if tonumber(redis.call('GET', key) or 0) >= limit then
    left = math.max(left, redis.call('PTTL', key), 1)
  end
end
if left > 0 then return {0, left} end
for _, key in ipairs(KEYS) do
  local count = redis.call('INCR', key)
  if count == 1 then redis.call('EXPIRE', key, seconds) end
  if count >= most then
    most, left = count, math.max(count > most and 0 or left, redis.call('PTTL', key))
  end
end
return {most, left}
"""
_REDIS_TAKE_BACK = """
for i, key in ipairs(KEYS) do
  if i > tonumber(ARGV[1]) or tonumber(redis.call('GET', key) or 0) <= 1 then
    redis.call('DEL', key)
  else
    redis.call('DECR', key)
  end
end
"""
