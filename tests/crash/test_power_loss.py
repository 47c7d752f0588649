"""The power fails at any moment, on SQLite: what was acknowledged is on the disk."""

import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from flaskart.invariants import check_invariants
from flaskart.kit.db import Database
from flaskart.orders.models import Order
from tests.callers import Make
from tests.crash.buyers import TOKENS, Crowd, Receipt
from tests.crash.power import (
    Contents,
    Disk,
    Name,
    Record,
    build_recorder,
    read_files,
    read_journal,
    recording,
    write_files,
)
from tests.crash.shop import Shop
from tests.crash.verdict import lost
from tests.databases import SqliteTemplate

ORDERS, CUTS = 120, 15
SOAK_ORDERS, SOAK_CUTS = 1_000, 200


@dataclass(frozen=True)
class Day:
    """What happened in a shop: all that it wrote, and what its buyers were told when the journal was how long."""

    database: bytes
    records: Sequence[Record]
    receipts: Sequence[Receipt]
    left: Contents

    def cuts(self, count: int) -> Iterator[tuple[Contents, list[Receipt]]]:
        """Cut the power so often; yield what is on the disk then, and what the buyers had been told."""
        disk, moments = Disk(self.database), set(random.sample(range(len(self.records)), count))
        for moment, record in enumerate(self.records):
            disk.play(record)
            if moment in moments:
                told = [receipt for receipt in self.receipts if receipt.told_at <= record.end]
                luck = random.choice((0.5, 0.9, 0.999))
                yield disk.after_cut(lambda: False), told
                yield disk.after_cut(lambda: random.random() < luck), told  # noqa: B023 - called at once


@pytest.fixture(scope="session")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_recorder(tmp_path_factory.mktemp("recorder"))


def a_day(template: SqliteTemplate, recorder: Path, folder: Path, orders: int, synchronous: str | None = None) -> Day:
    """Run a shop with its journal, and see that nothing escaped it."""
    journal = folder / "journal"
    app = None if synchronous is None else "tests.crash.relaxed:wsgi"
    with template.copy() as url:
        db = Database(url)
        path = Path(str(db.url.database))
        environment = {"POWER_SYNCHRONOUS": synchronous or "FULL", **recording(recorder, path, journal)}
        shop = Shop(url, folder, app, environment)
        crowd = Crowd.gathered(Make(db, TOKENS, shop.send))
        db.close()
        before = read_files(path)

        with shop.opened(), crowd.shopping(clock=lambda: journal.stat().st_size) as receipts:
            receipts.wait_for_orders(orders)
        day = Day(before[Name.DATABASE], list(read_journal(journal)), receipts.so_far(), read_files(path))

    disk = Disk(day.database)
    for record in day.records:
        disk.play(record)
    assert before.keys() == {Name.DATABASE}
    assert disk.after_cut(lambda: True) == day.left
    return day


def restored(contents: Contents, folder: Path) -> Path:
    """Write down what is left on the disk and return the path of its database."""
    path = folder / "shop.db"
    for leftover in folder.glob("shop.db*"):
        leftover.unlink()
    write_files(path, contents)
    return path


def is_sound(path: Path) -> bool:
    """Whether SQLite finds no damage in its own files."""
    with closing(sqlite3.connect(path)) as connection:
        try:
            damage = connection.execute("PRAGMA integrity_check").fetchall()
            dangling = connection.execute("PRAGMA foreign_key_check").fetchall()
        except sqlite3.DatabaseError:
            return False
        return damage == [("ok",)] and dangling == []


def lost_after(contents: Contents, told: Sequence[Receipt], folder: Path) -> list[Receipt]:
    """Open what is left on the disk, see that it is a sound shop without a gap, and return what it has lost."""
    path = restored(contents, folder)
    assert is_sound(path)
    with closing(Database(f"sqlite:///{path}")) as db:
        with db.read() as session:
            assert check_invariants(session) == []
            ids = session.scalars(select(Order.id).order_by(Order.id)).all()
        assert ids == list(range(1, len(ids) + 1))
        return lost(db, told)


def test_no_acknowledged_order_is_lost_when_the_power_fails(
    templates: dict[str, SqliteTemplate], recorder: Path, tmp_path: Path, is_soak: bool
) -> None:
    orders, cuts = (SOAK_ORDERS, SOAK_CUTS) if is_soak else (ORDERS, CUTS)
    day = a_day(templates["sqlite"], recorder, tmp_path, orders)

    for contents, told in day.cuts(cuts):
        assert lost_after(contents, told, tmp_path) == []


def test_without_full_syncing_the_newest_orders_are_lost(
    templates: dict[str, SqliteTemplate], recorder: Path, tmp_path: Path, is_soak: bool
) -> None:
    """The canary. Even then the shop is sound: it is as it was a little earlier."""
    orders, cuts = (SOAK_ORDERS, SOAK_CUTS) if is_soak else (ORDERS, CUTS)
    day = a_day(templates["sqlite"], recorder, tmp_path, orders, synchronous="NORMAL")

    losses = [len(lost_after(contents, told, tmp_path)) for contents, told in day.cuts(cuts)]

    assert max(losses) > 0


def test_without_any_syncing_the_shop_is_damaged(
    templates: dict[str, SqliteTemplate], recorder: Path, tmp_path: Path
) -> None:
    """The other canary: damage would be seen."""
    day = a_day(templates["sqlite"], recorder, tmp_path, ORDERS, synchronous="OFF")

    verdicts = [is_sound(restored(contents, tmp_path)) for contents, _ in day.cuts(CUTS)]

    assert not all(verdicts)
