"""The disk fills up while customers order: they wait, reading goes on, and nothing is lost.

It takes a small disk of its own. Only where the machine forbids mounting one are these tests skipped.
"""

import errno
import random
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from flaskart.kit.db import Database
from tests.callers import Make
from tests.conftest import ENGINES
from tests.crash.buyers import BUYERS, TOKENS, Crowd
from tests.crash.shop import Shop, shop_on
from tests.crash.verdict import see_that_all_is_exact, see_that_nothing_is_lost
from tests.databases import sqlite_template
from tests.postgres import DURABLE, PostgresServer, start_postgres

MEGABYTES = {"sqlite": 8, "postgresql": 160}
SMALL_LOG = ("max_wal_size=48MB", "min_wal_size=32MB")
FILLINGS, ORDERS = 2, 120
SOAK_FILLINGS, SOAK_ORDERS = 10, 600


@dataclass(frozen=True)
class Disk:
    folder: Path

    def fill(self) -> None:
        """Leave no sector free."""
        block = 1 << 16
        with self._ballast.open("wb", buffering=0) as ballast:
            while block >= 512:
                try:
                    ballast.write(bytes(block))
                except OSError as full:
                    if full.errno != errno.ENOSPC:
                        raise
                    block //= 2

    def make_room(self) -> None:
        self._ballast.unlink()

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def disk(engine: str) -> Iterator[Disk]:
    """A disk that is soon full."""
    folder = Path(tempfile.mkdtemp(prefix="flaskart-disk-"))
    folder.chmod(0o755)  # PostgreSQL comes here as another user
    options = ["-t", "tmpfs", "-o", f"size={MEGABYTES[engine]}m,mode=1777"]
    mounted = subprocess.run(["mount", *options, "flaskart", str(folder)], capture_output=True, text=True, check=False)
    if mounted.returncode:
        folder.rmdir()
        pytest.skip(f"this machine forbids mounting a tmpfs: {mounted.stderr.strip()}")
    yield Disk(folder)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    folder.rmdir()


@pytest.fixture
def cluster(disk: Disk) -> Iterator[PostgresServer]:
    """A PostgreSQL server with its data on the small disk."""
    server = start_postgres((*DURABLE, *SMALL_LOG), data=disk.folder / "data")
    yield server
    server.destroy()


@pytest.fixture
def url(engine: str, disk: Disk, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of an empty shop on the small disk."""
    if engine == "postgresql":
        yield shop_on(request.getfixturevalue("cluster"))
    else:
        with sqlite_template(disk.folder).copy() as url:
            yield url


def test_a_full_disk_stops_orders_but_not_reading(disk: Disk, url: str, tmp_path: Path, is_soak: bool) -> None:
    fillings, orders = (SOAK_FILLINGS, SOAK_ORDERS) if is_soak else (FILLINGS, ORDERS)
    shop, db = Shop(url, tmp_path), Database(url)
    make = Make(db, TOKENS, shop.send)
    crowd = Crowd.gathered(make)

    with shop.opened():
        with crowd.shopping() as receipts:
            for moment in sorted(random.sample(range(1, orders), fillings)):
                receipts.wait_for_orders(moment)
                disk.fill()
                receipts.wait_for_more(503, BUYERS)
                told = receipts.so_far()
                paths = ["/products", "/cart", "/orders", f"/orders/{told[0].order['id']}"]
                reading = [told[0].buyer.get(path).status for path in paths]
                disk.make_room()
                assert reading == [200, 200, 200, 200]
                see_that_nothing_is_lost(db, told)
            receipts.wait_for_orders(orders)

        assert set(receipts.outcomes) == {200, 201, 503}
        see_that_all_is_exact(make, crowd, receipts.so_far())
        db.close()


def exhaust_log(connection: psycopg.Connection) -> None:
    """Have PostgreSQL go on to the next file of its log, until there is no room for one."""
    for _ in range(MEGABYTES["postgresql"]):
        connection.execute("SELECT pg_logical_emit_message(false, 'test', 'words'), pg_switch_wal()")


@pytest.mark.parametrize("engine", ["postgresql"])
def test_a_disk_so_full_that_postgresql_gives_up_loses_nothing(
    disk: Disk, cluster: PostgresServer, url: str, tmp_path: Path
) -> None:
    """Without room for its log it stops altogether, until somebody has made room and starts it again."""
    shop, db = Shop(url, tmp_path), Database(url)
    make = Make(db, TOKENS, shop.send)
    crowd = Crowd.gathered(make)
    db.close()

    with shop.opened():
        with crowd.shopping() as receipts:
            receipts.wait_for_orders(1)
            with closing(psycopg.connect(cluster.url, autocommit=True)) as connection:
                disk.fill()
                with pytest.raises(psycopg.OperationalError):
                    exhaust_log(connection)
            cluster.wait_until_stopped()
            receipts.wait_for_more(503, BUYERS)
            told = receipts.so_far()
            disk.make_room()
            cluster.start()
            see_that_nothing_is_lost(db, told)
            receipts.wait_for_orders(len(told) + BUYERS)

        assert set(receipts.outcomes) == {200, 201, 503}
        see_that_all_is_exact(make, crowd, receipts.so_far())
        db.close()
