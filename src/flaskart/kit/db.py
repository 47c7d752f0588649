"""The database: one class, two kinds of session, and the only commit in the house."""

import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from flaskart.kit.errors import DatabaseBusy, DatabaseUnavailable, ShopError

Result = TypeVar("Result")

BUSY_TIMEOUT_SECONDS = 5
MAX_TRIES = 8
# https://www.postgresql.org/docs/current/errcodes-appendix.html: serialization failure, deadlock, and a foreign key
# violation, which here means that a row was deleted after the transaction had read it.
RETRIED_SQLSTATES = frozenset({"40001", "40P01", "23503"})
LOCK_NOT_AVAILABLE = "55P03"


class TryAgain(Exception):
    """The transaction read what another one has changed since; run again, it may succeed."""


class Database:
    """A shop's database, SQLite or PostgreSQL by its URL. Connections are opened when first needed."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.engine = _engine(url)
        # Reads run in autocommit: every query is its own snapshot, and no BEGIN or COMMIT is sent. SQLite's connections
        # are in autocommit until `_begin_sqlite` says otherwise.
        autocommit = {} if self.engine.dialect.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
        self._reading = self.engine.execution_options(flaskart_reads=True, **autocommit)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session for reading. Each statement sees the newest committed state; a write would be kept."""
        with _translating_outages(), Session(self._reading, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a transaction: committed when the block ends, rolled back when it raises.

        Raises:
            DatabaseBusy: another writer held the lock for too long.
            DatabaseUnavailable: no connection, or it was lost.
        """
        with _translating_outages(), Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def retrying(self, work: Callable[[], Result]) -> Result:
        """Call `work`, which owns its transactions, again when its transaction lost against another one.

        Only failures after which nothing was committed are retried, at most `MAX_TRIES` times in all, with growing
        random pauses.
        """
        for tries in range(1, MAX_TRIES + 1):
            try:
                return work()
            except (DBAPIError, TryAgain) as failure:
                lost = isinstance(failure, TryAgain) or sqlstate(failure) in RETRIED_SQLSTATES
                if not lost:
                    raise
                if tries == MAX_TRIES:
                    raise DatabaseBusy from failure
            time.sleep(random.uniform(0, 0.005 * 2**tries))  # noqa: S311 - spreads retries, keeps no secret
        raise AssertionError("unreachable")

    def close(self) -> None:
        self.engine.dispose()


def insert_into(session: Session, table: type[Any]) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT that knows `on_conflict_do_…`, which both engines have but SQLAlchemy spells per dialect."""
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def sqlstate(failure: DBAPIError) -> str | None:
    """Return PostgreSQL's error code, None for SQLite."""
    return getattr(failure.orig, "sqlstate", None)


def _engine(url: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        os.environ.setdefault("PSYCOPG_IMPL", "binary")  # fail loudly rather than run on the slow pure Python build
        waits = f"-c lock_timeout={BUSY_TIMEOUT_SECONDS}s"
        return create_engine(url, pool_size=10, max_overflow=10, connect_args={"options": waits})
    engine = create_engine(url, pool_size=10, max_overflow=10, connect_args={"timeout": BUSY_TIMEOUT_SECONDS})
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver's own BEGIN comes too late: it loses updates
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A plain BEGIN that writes later fails with "database is locked" under concurrency.
    if not connection.get_execution_options().get("flaskart_reads"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def _translating_outages() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as failure:
        outage = _outage(failure)
        if outage is None:
            raise
        raise outage from failure


def _outage(failure: DBAPIError) -> ShopError | None:
    """Tell a database that is busy, full or gone from a statement that is wrong."""
    if isinstance(failure.orig, sqlite3.Error):
        # The low byte is the primary result code: https://www.sqlite.org/rescode.html
        primary = getattr(failure.orig, "sqlite_errorcode", 0) & 0xFF
        if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return DatabaseBusy()
        if primary in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            return DatabaseUnavailable()
        return None
    state = sqlstate(failure)
    if state == LOCK_NOT_AVAILABLE:
        return DatabaseBusy()
    # No state: the server was never reached. 08: connection lost. 53: out of resources. 57P: shutting down.
    return DatabaseUnavailable() if state is None or state.startswith(("08", "53", "57P")) else None
