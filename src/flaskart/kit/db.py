"""The database: one class, two kinds of session, and the only commit in the house."""

import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    Connection,
    CursorResult,
    Engine,
    Executable,
    Select,
    bindparam,
    case,
    create_engine,
    event,
    func,
    literal,
    make_url,
    orm,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.dml import ReturningUpdate

from flaskart.kit.errors import DatabaseBusy, OutcomeUnknown
from flaskart.kit.outages import DIVISION_BY_ZERO, is_connection_lost, is_worth_another_try, outage, sqlstate
from flaskart.kit.turns import Turns

Result = TypeVar("Result")
Parameters = Mapping[str, object]

BUSY_TIMEOUT_SECONDS = 2
MAX_TRIES = 8


class TryAgain(Exception):
    """The transaction read what another one has changed since; run again, it may succeed."""


@dataclass(frozen=True, slots=True)
class Last:
    """A transaction's last statement, and how many rows it must return."""

    statement: ReturningUpdate[Any]
    parameters: Parameters
    rows: int


class Session(orm.Session):
    """A SQLAlchemy session on one connection, which statements put together beforehand may use directly.

    What is in `before_commit` is called when all else is done, so that what it locks is locked as briefly as can be.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection, expire_on_commit=False)
        self._connection_of_its_own = connection
        self.last: Last | None = None
        self.before_commit: list[Callable[[Session], None]] = []

    def close(self) -> None:
        """End the session. One that the ORM was not used in has nothing to let go of, and most are."""
        if self.in_transaction():
            super().close()

    def send(self, statement: Executable, parameters: Parameters | None = None) -> CursorResult[*tuple[Any, ...]]:
        """Send a prepared statement past the ORM and return its rows; less than half the work of `execute`.

        What the ORM has not flushed yet is not flushed.
        """
        return self._connection_of_its_own.execute(statement, parameters)

    def send_last(self, statement: ReturningUpdate[Any], parameters: Parameters, *, rows: int) -> None:
        """Send an UPDATE together with COMMIT, when all else is done: what it locks is locked as briefly as can be.

        Unless it returns `rows` rows, nothing is committed and the transaction is run again. Call it once.
        """
        if self.last is not None:
            raise AssertionError("a transaction has one last statement")
        self.last = Last(statement, parameters, rows)


class Idle:
    """Connections of an engine that wait to be used again, as they are: opening and resetting one costs 35 us."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: list[Connection] = []

    @contextmanager
    def borrow(self) -> Iterator[Connection]:
        """Yield a connection. When the database fails it is closed, and so are those that wait: all may be dead."""
        try:
            connection = self._waiting.pop()
        except IndexError:
            connection = self._engine.connect()
        try:
            yield connection
        except DBAPIError:
            connection.close()
            self.close()
            raise
        except BaseException:
            self._waiting.append(connection)
            raise
        self._waiting.append(connection)

    def close(self) -> None:
        while self._waiting:
            self._waiting.pop().close()


class Database:
    """A shop's database, SQLite or PostgreSQL by its URL. Connections are opened when first needed."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.engine = _engine(url)
        self._turns = Turns(self.url.database or "") if self.engine.dialect.name == "sqlite" else None
        # Reads run in autocommit: every query is its own snapshot, and no BEGIN or COMMIT is sent. SQLite's connections
        # are in autocommit until `_begin_sqlite` says otherwise.
        autocommit = {} if self.engine.dialect.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
        self._readers = Idle(self.engine.execution_options(flaskart_reads=True, **autocommit))
        self._writers = Idle(self.engine)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a session for reading. Each statement sees the newest committed state; a write would be kept."""
        with self._readers.borrow() as connection, Session(connection) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open a transaction: committed when the block ends, rolled back when it raises.

        Raises:
            TryAgain: `send_last` found another state than the transaction had read.
            OutcomeUnknown: the connection was lost at COMMIT.
        """
        turn = self._turns.take() if self._turns else nullcontext()
        with turn, self._writers.borrow() as connection, Session(connection) as session:
            connection.begin()
            try:
                yield session
                session.flush()
                for work in session.before_commit:
                    work(session)
                _commit(connection, session.last)
            except BaseException:
                connection.rollback()
                raise

    def retrying(self, work: Callable[[], Result], *, is_repeatable: bool = False) -> Result:
        """Call `work`, which owns its transactions, again when its transaction lost or its connection broke.

        It is called at most `MAX_TRIES` times in all, with growing random pauses, and only while nothing was
        committed. Where a connection is lost at COMMIT nobody knows; `is_repeatable` says that a second run finds out.

        Raises:
            DatabaseBusy: it lost every time.
            DatabaseUnavailable: no connection, or the database cannot write.
            OutcomeUnknown: the connection was lost at COMMIT, and `work` is not repeatable.
        """
        for tries in range(1, MAX_TRIES + 1):
            try:
                return work()
            except TryAgain as lost:
                if tries == MAX_TRIES:
                    raise DatabaseBusy from lost
            except OutcomeUnknown:
                if not is_repeatable or tries == MAX_TRIES:
                    raise
            except DBAPIError as failure:
                if not is_worth_another_try(failure) or tries == MAX_TRIES:
                    _tell(failure)
            time.sleep(random.uniform(0, 0.005 * 2**tries))  # noqa: S311 - spreads retries, keeps no secret
        raise AssertionError("unreachable")

    def analyze(self) -> None:
        """Have PostgreSQL count what its tables hold, after much was loaded at once; until it does it plans badly.

        SQLite plans well without.
        """
        if self.engine.dialect.name == "postgresql":
            with self.read() as session:
                session.send(text("ANALYZE"))

    def close(self) -> None:
        self._readers.close()
        self._writers.close()
        self.engine.dispose()
        if self._turns:
            self._turns.close()


def _commit(connection: Connection, last: Last | None) -> None:
    try:
        if last is None:
            connection.commit()
        elif connection.dialect.name == "sqlite":
            if len(connection.execute(last.statement, last.parameters).all()) != last.rows:
                raise TryAgain
            connection.commit()
        else:
            _commit_in_one_round_trip(connection, last)
    except DBAPIError as failure:
        if sqlstate(failure) == DIVISION_BY_ZERO:
            connection.connection.rollback()  # SQLAlchemy takes a transaction whose COMMIT failed for over
            raise TryAgain from failure
        if is_connection_lost(failure):
            connection.invalidate()
            raise OutcomeUnknown from failure
        raise


def _commit_in_one_round_trip(connection: Connection, last: Last) -> None:
    """Send PostgreSQL the last statement and COMMIT at once: what it locks is not locked while this process waits.

    COMMIT is skipped if the statement fails, so the statement has to count its rows by itself.
    """
    driver_connection: Any = connection.connection.driver_connection
    driver_error: type[Exception] = connection.dialect.loaded_dbapi.Error
    try:
        with driver_connection.pipeline():
            connection.execute(_counting(last.statement), {**last.parameters, "expected_rows": last.rows})
            connection.commit()
    except driver_error as failure:  # of the pipeline itself, which SQLAlchemy has not seen
        raise DBAPIError.instance("COMMIT", None, failure, driver_error) from failure


@cache
def _counting(statement: ReturningUpdate[Any]) -> Select[*tuple[Any, ...]]:
    """Return a statement that does the same, and divides by zero unless it returns the expected number of rows."""
    is_right = case((func.count() == bindparam("expected_rows"), 1), else_=0)
    return select(literal(1) / is_right).select_from(statement.cte("changed"))


def _tell(failure: DBAPIError) -> None:
    problem = outage(failure)
    if problem is None:
        raise failure
    raise problem from failure


def _engine(url: str) -> Engine:
    # No limit: a thread needs one connection at a time, but `Idle` keeps one for reading and one for writing.
    options: dict[str, Any] = {"pool_size": 0, "json_serializer": _json}
    if make_url(url).get_backend_name() != "sqlite":
        os.environ.setdefault("PSYCOPG_IMPL", "binary")  # fail loudly rather than run on the slow pure Python build
        return create_engine(url, connect_args={"options": f"-c lock_timeout={BUSY_TIMEOUT_SECONDS}s"}, **options)
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_SECONDS}, **options)
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _set_up_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver's own BEGIN comes too late: it loses updates
    # Some builds leave what was deleted in the file until something else is written there; people want to be gone.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A plain BEGIN that writes later fails with "database is locked" under concurrency.
    if not connection.get_execution_options().get("flaskart_reads"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
