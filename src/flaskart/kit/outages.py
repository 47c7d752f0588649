"""What a database's failure means: run the transaction again, or tell the caller that the database is busy or gone."""

import sqlite3

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from flaskart.kit.errors import DatabaseBusy, DatabaseUnavailable, ShopError

# https://www.postgresql.org/docs/current/errcodes-appendix.html
SERIALIZATION_FAILURE, DEADLOCK_DETECTED, LOCK_NOT_AVAILABLE = "40001", "40P01", "55P03"
# A row that the transaction had read was deleted before it could refer to it; the next try does not find it.
FOREIGN_KEY_VIOLATION = "23503"
DIVISION_BY_ZERO = "22012"
# A standby, which a failing server's clients may meet until another one takes over.
READ_ONLY_TRANSACTION = "25006"
# Connection exceptions; shut down by an administrator or a crash, or not yet up.
GONE = ("08", "57P01", "57P02", "57P03")
OUT_OF_RESOURCES = "53"
LOST = frozenset({SERIALIZATION_FAILURE, DEADLOCK_DETECTED, LOCK_NOT_AVAILABLE, FOREIGN_KEY_VIOLATION})
# The low byte of a result code: https://www.sqlite.org/rescode.html
SQLITE_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
SQLITE_OUTAGES = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)


def sqlstate(failure: DBAPIError) -> str | None:
    """Return PostgreSQL's error code, None for SQLite or where the server was not reached."""
    return getattr(failure.orig, "sqlstate", None)


def is_connection_lost(failure: DBAPIError) -> bool:
    """Tell whether the server went away, so that nobody knows how far the transaction got."""
    if isinstance(failure.orig, sqlite3.Error) or not isinstance(failure, OperationalError | InterfaceError):
        return False
    state = sqlstate(failure)
    return state is None or state.startswith(GONE)


def is_worth_another_try(failure: DBAPIError) -> bool:
    """Tell whether the same transaction may succeed when it is run again; what failed this way was rolled back."""
    if isinstance(failure.orig, sqlite3.Error):
        return _sqlite_code(failure.orig) in SQLITE_BUSY
    return sqlstate(failure) in LOST | {READ_ONLY_TRANSACTION} or is_connection_lost(failure)


def outage(failure: DBAPIError) -> ShopError | None:
    """Return what to tell the caller; None where the statement is wrong, not the database."""
    if isinstance(failure.orig, sqlite3.Error):
        code = _sqlite_code(failure.orig)
        if code in SQLITE_BUSY:
            return DatabaseBusy()
        return DatabaseUnavailable() if code in SQLITE_OUTAGES else None
    state = sqlstate(failure)
    if state in LOST:
        return DatabaseBusy()
    is_out = state is not None and state.startswith((OUT_OF_RESOURCES, READ_ONLY_TRANSACTION))
    return DatabaseUnavailable() if is_out or is_connection_lost(failure) else None


def _sqlite_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
