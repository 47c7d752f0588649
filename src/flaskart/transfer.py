"""Moving a shop to another database, of the same engine or of the other one."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row, func, insert, select, text
from sqlalchemy.exc import DataError, IntegrityError

from flaskart import migrations
from flaskart.kit.db import Database
from flaskart.kit.errors import OperatorError
from flaskart.migrations import runner
from flaskart.migrations.tables import METADATA

BATCH = 1_000


class TransferError(OperatorError):
    """Why nothing was copied: one line, without passwords."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What a table holds, in both databases alike."""

    table: str
    rows: int
    checksum: str


def copy_shop(source: Database, target: Database, report: Callable[[int, int], None]) -> list[Copied]:
    """Copy a shop as it is at one moment into an empty database, which is migrated first: everything or nothing.

    What has arrived is read again and compared before it is committed. The target's ids go on where the source's are.
    `report` is told how much is done, and of how much.

    Raises:
        TransferError: the source is not at this version's schema, the target has data, or it refuses a row.
    """
    if migrations.is_missing(source) or migrations.current_revision(source) != migrations.head_revision():
        raise TransferError("the source is not a shop at this version's schema: run `flaskart init` on it first")
    if migrations.has_data(target):
        raise TransferError("the target has data already: a shop is copied into an empty database")
    runner.upgrade(target)
    tables = METADATA.sorted_tables
    with _standing_still(source) as reading, target.write() as session:
        writing = session.connection()
        meter = _Meter(report, 2 * sum(_count(reading, table) for table in tables))
        for table in tables:
            if table.name in migrations.SEEDED | migrations.OF_WORKER:
                writing.execute(table.delete())
        copied = [_copy(reading, writing, table, meter) for table in tables]
        for table in tables:
            _go_on_after(writing, table, _last_id(reading, table))
    target.analyze()
    return copied


@dataclass(slots=True)
class _Meter:
    report: Callable[[int, int], None]
    total: int
    done: int = 0

    def advance(self, rows: int) -> None:
        self.done += rows
        self.report(self.done, self.total)


@dataclass(slots=True)
class _Tally:
    """Counts rows and adds up a checksum of their values, which are the same Python objects on both engines."""

    rows: int = 0
    _hash: Any = field(default_factory=hashlib.sha256)

    def add(self, rows: Sequence[Row[Any]]) -> None:
        self.rows += len(rows)
        self._hash.update(repr([tuple(row) for row in rows]).encode())

    @property
    def checksum(self) -> str:
        return str(self._hash.hexdigest())


@contextmanager
def _standing_still(source: Database) -> Iterator[Connection]:
    """Open a connection that reads, all the time, what was committed at its first read; writers do not wait for it."""
    if source.engine.dialect.name == "sqlite":
        with source.engine.execution_options(flaskart_reads=True).connect() as connection:
            connection.exec_driver_sql("BEGIN")
            yield connection
    else:
        with source.engine.execution_options(isolation_level="REPEATABLE READ").connect() as connection:
            yield connection


def _count(reading: Connection, table: sa.Table) -> int:
    return reading.scalars(select(func.count()).select_from(table)).one()


def _copy(reading: Connection, writing: Connection, table: sa.Table, meter: _Meter) -> Copied:
    sent, arrived = _Tally(), _Tally()
    for rows in _batches(reading, table):
        try:
            writing.execute(insert(table), [dict(row._mapping) for row in rows])
        except (DataError, IntegrityError) as refused:
            raise TransferError(
                f"the target refuses rows of {table.name}: {str(refused.orig).splitlines()[0]}"
            ) from None
        sent.add(rows)
        meter.advance(len(rows))
    for rows in _batches(writing, table):
        arrived.add(rows)
        meter.advance(len(rows))
    if (sent.rows, sent.checksum) != (arrived.rows, arrived.checksum):
        raise TransferError(f"the rows of {table.name} did not arrive as they were sent")
    return Copied(table.name, sent.rows, sent.checksum)


def _batches(connection: Connection, table: sa.Table) -> Iterator[Sequence[Row[Any]]]:
    """Yield the rows by their key, a batch at a time, of which no more than one or two are in memory."""
    rows = select(table).order_by(*table.primary_key)
    with connection.execute(rows, execution_options={"yield_per": BATCH}) as result:
        yield from result.partitions()


def _last_id(reading: Connection, table: sa.Table) -> int:
    """Return the highest id that was ever given, as far as the engine knows: its row may be gone."""
    if reading.dialect.name == "sqlite":
        remembered = text("SELECT seq FROM sqlite_sequence WHERE name = :name").bindparams(name=table.name)
    else:
        remembered = text("SELECT pg_sequence_last_value(pg_get_serial_sequence(:name, 'id')::regclass)").bindparams(
            name=_quoted(reading, table)
        )
    highest = select(func.max(table.c.id))
    return max(reading.scalar(remembered) or 0, reading.scalar(highest) or 0)


def _go_on_after(writing: Connection, table: sa.Table, last_id: int) -> None:
    """Let the next row have a higher id than `last_id`."""
    if last_id == 0:
        return
    if writing.dialect.name == "postgresql":
        go_on = text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last_id)")
        writing.execute(go_on, {"name": _quoted(writing, table), "last_id": last_id})
    elif table.dialect_options["sqlite"]["autoincrement"]:
        writing.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
        remember = text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last_id)")
        writing.execute(remember, {"name": table.name, "last_id": last_id})


def _quoted(connection: Connection, table: sa.Table) -> str:
    return connection.dialect.identifier_preparer.format_table(table)
