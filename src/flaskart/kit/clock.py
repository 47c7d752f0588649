"""The time, always aware and in UTC: that of this machine, and that of the database."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Float, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from flaskart.kit.tables import UTCDateTime


def now() -> datetime:
    return datetime.now(UTC)


class DatabaseTime(FunctionElement[datetime]):
    """The time by the database's clock, which several machines share, or so many seconds later."""

    name = "database_time"
    type = UTCDateTime()
    inherit_cache = True

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__(literal(float(seconds), Float))


@compiles(DatabaseTime, "postgresql")
def _on_postgresql(element: DatabaseTime, compiler: SQLCompiler, **options: Any) -> str:
    # Of the statement, not of the transaction, which may have waited; and not volatile, so that an index is used.
    return f"statement_timestamp() + make_interval(secs => {compiler.process(element.clauses, **options)})"


@compiles(DatabaseTime, "sqlite")
def _on_sqlite(element: DatabaseTime, compiler: SQLCompiler, **options: Any) -> str:
    seconds = f"printf('%+.3f seconds', {compiler.process(element.clauses, **options)})"
    return f"strftime('%Y-%m-%d %H:%M:%f000', 'now', {seconds})"  # as long as the times that the driver writes
