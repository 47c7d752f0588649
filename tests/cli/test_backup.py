"""`flaskart backup | restore`: a shop in one file, and out of it."""

import os
import shutil
import sqlite3
import stat
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import inspect, make_url, text

from flaskart import migrations
from flaskart.backups import back_up, restore
from flaskart.invariants import check_invariants
from flaskart.kit.db import Database
from flaskart.migrations import runner
from tests.callers import Caller, Make
from tests.cli.shells import Shell
from tests.conftest import shop_at
from tests.databases import empty_database, engine_of

HEAD = migrations.head_revision()
OTHER = {"sqlite": "postgresql", "postgresql": "sqlite"}


@pytest.fixture
def buyer(make: Make) -> Caller:
    """A customer with an order, in a shop that has sold two mugs of ten."""
    product_id = make.product("Mug", price="19.99", stock=10)
    buyer = make.customer("alice")
    order_mugs(buyer, product_id, 2)
    return buyer


def order_mugs(buyer: Caller, product_id: int, quantity: int) -> dict[str, object]:
    """Place an order and return it, but for its date."""
    assert buyer.post("/cart", {"product_id": product_id, "quantity": quantity}).status == 200
    placed = buyer.post("/orders")
    assert placed.status == 201
    return {name: value for name, value in placed.json["order"].items() if name != "date"}


def save(shop: Shell) -> None:
    """Do what `flaskart backup shop.bak` does, without starting a process."""
    database = Database(shop.environment["FLASKART_DATABASE_URL"])
    back_up(database, shop.folder / "shop.bak", lambda _done, _total: None)
    database.close()


def load(shop: Shell, url: str) -> None:
    """Do what `flaskart restore shop.bak` does, without starting a process."""
    database = Database(url)
    restore(database, shop.folder / "shop.bak", lambda _done, _total: None)
    database.close()


def tables_at(url: str) -> set[str]:
    database = Database(url)
    tables = set(inspect(database.engine).get_table_names())
    database.close()
    return tables


def test_a_backup_restores_to_the_same_shop(shop: Shell, buyer: Caller, make: Make, empty_url: str) -> None:
    printed = shop.done("backup", "shop.bak")

    size = (shop.folder / "shop.bak").stat().st_size
    assert printed == f"Wrote shop.bak, {size:,} bytes.\n"
    restored = shop.done("restore", "shop.bak", FLASKART_DATABASE_URL=empty_url)
    assert restored == f"Restored shop.bak, revision {HEAD}.\n"
    with shop_at(empty_url) as copy:
        assert copy.everything() == make.everything()
        with copy.db.read() as session:
            assert check_invariants(session) == []
        runner.check(copy.db)


def test_a_restored_shop_goes_on_where_it_was(shop: Shell, buyer: Caller, empty_url: str) -> None:
    save(shop)
    load(shop, empty_url)

    with shop_at(empty_url) as copy:
        known = Caller(copy.send, buyer.token)
        assert known.get("/orders/1").json == buyer.get("/orders/1").json
        assert copy.stock_of(1) == 8
        assert order_mugs(known, 1, 1) == order_mugs(buyer, 1, 1)


def test_a_backup_is_of_one_moment_and_never_begins_again(
    shop: Shell, buyer: Caller, make: Make, empty_url: str
) -> None:
    product_id = make.product("Bowl", stock=1_000)
    with make.db.write() as session:
        session.execute(text("UPDATE product SET description = :long"), {"long": "x" * 10_000_000})
    steps = list[int]()

    def order_meanwhile(done: int, _total: int) -> None:
        assert len(steps) < 100, "the copy follows the orders and does not end"
        steps.append(done)
        order_mugs(buyer, product_id, 1)

    back_up(make.db, shop.folder / "shop.bak", order_meanwhile)

    assert len(steps) > 3
    assert steps == sorted(steps)
    load(shop, empty_url)
    with shop_at(empty_url) as copy:
        assert len(Caller(copy.send, buyer.token).get("/orders").json["orders"]) == 1


def test_only_its_owner_can_read_a_backup_and_nothing_else_is_left(shop: Shell, buyer: Caller) -> None:
    shop.done("backup", "shop.bak")

    assert [path.name for path in shop.folder.iterdir() if path.suffix != ".db"] == ["shop.bak"]
    assert stat.S_IMODE((shop.folder / "shop.bak").stat().st_mode) == 0o600


def test_a_backup_overwrites_nothing(shop: Shell, buyer: Caller) -> None:
    (shop.folder / "shop.bak").write_text("the only copy of something else")

    refusal = shop.refused("backup", "shop.bak")

    assert refusal == "flaskart: shop.bak exists already, and a backup overwrites nothing"
    assert (shop.folder / "shop.bak").read_text() == "the only copy of something else"


def test_a_backup_that_fails_leaves_no_file(shop: Shell, empty_url: str) -> None:
    refusal = shop.refused("backup", "shop.bak", FLASKART_DATABASE_URL=empty_url)

    assert refusal == "flaskart: there is no shop in the database yet"
    assert [path.name for path in shop.folder.iterdir() if path.suffix == ".bak"] == []
    assert not (shop.folder / "empty.db").exists()


def test_a_folder_that_does_not_exist_is_named(shop: Shell, buyer: Caller) -> None:
    refusal = shop.refused("backup", "no/such/folder/shop.bak")

    assert refusal.startswith("flaskart: ")
    assert refusal.endswith(": No such file or directory")


def test_a_database_with_data_is_not_restored_into(shop: Shell, buyer: Caller, make: Make) -> None:
    save(shop)
    order_mugs(buyer, 1, 1)
    before = make.everything()

    refusal = shop.refused("restore", "shop.bak")

    assert refusal == "flaskart: the database has data already: a backup is restored into an empty one"
    assert make.everything() == before


def test_a_shop_that_was_just_set_up_is_empty_enough(shop: Shell, buyer: Caller, make: Make, empty_url: str) -> None:
    save(shop)
    shop.done("init", FLASKART_DATABASE_URL=empty_url)

    load(shop, empty_url)

    with shop_at(empty_url) as copy:
        assert copy.everything() == make.everything()


def test_a_new_shop_is_restored_into_its_own_folder(nowhere: Shell, shop: Shell, buyer: Caller, make: Make) -> None:
    """It is a SQLite database by default, so that a backup of PostgreSQL does not belong there."""
    save(shop)
    if make.db.engine.dialect.name == "postgresql":
        nowhere.refused("restore", "shop.bak")
        assert not (nowhere.folder / "instance").exists()
        return

    nowhere.done("restore", "shop.bak")

    assert nowhere.done("doctor") == "All is well.\n"
    assert stat.S_IMODE((nowhere.folder / "instance").stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (None, "flaskart: shop.bak: No such file or directory"),
        (b"", "flaskart: shop.bak is not a backup: neither a SQLite database nor an archive of pg_dump"),
        (b"a shopping list", "flaskart: shop.bak is not a backup: neither a SQLite database nor an archive of pg_dump"),
    ],
)
def test_what_is_no_backup_is_refused(shop: Shell, empty_url: str, content: bytes | None, refusal: str) -> None:
    if content is not None:
        (shop.folder / "shop.bak").write_bytes(content)

    assert shop.refused("restore", "shop.bak", FLASKART_DATABASE_URL=empty_url) == refusal
    assert tables_at(empty_url) == set()


def test_another_programs_database_is_refused(shop: Shell, empty_url: str) -> None:
    other = Database(empty_url)
    with other.write() as session:
        session.execute(text("CREATE TABLE notes (id INTEGER)"))
    other.close()
    if engine_of(empty_url) == "sqlite":
        shutil.move(shop.folder / "empty.db", shop.folder / "shop.bak")
    else:
        address = make_url(empty_url).set(drivername="postgresql").render_as_string(hide_password=False)
        dump = ["pg_dump", "--format=custom", "--file=shop.bak", address]
        subprocess.run(dump, cwd=shop.folder, check=True)

    refusal = shop.refused("restore", "shop.bak", FLASKART_DATABASE_URL=empty_url)

    assert refusal == "flaskart: shop.bak is not a backup of a Flaskart shop"


def test_a_damaged_backup_is_refused_and_nothing_of_it_is_kept(shop: Shell, make: Make, empty_url: str) -> None:
    for number in range(40):
        make.product(f"Mug {number}")
    save(shop)
    content = bytearray((shop.folder / "shop.bak").read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    (shop.folder / "shop.bak").write_bytes(content)

    refusal = shop.refused("restore", "shop.bak", FLASKART_DATABASE_URL=empty_url)

    assert refusal.startswith(("flaskart: shop.bak is damaged: ", "flaskart: pg_restore says: "))
    assert tables_at(empty_url) <= {"alembic_version"}


def test_a_backup_of_the_other_engine_is_refused_with_the_way_to_go(
    shop: Shell, buyer: Caller, database_url: str, tmp_path: Path
) -> None:
    own = engine_of(database_url)
    save(shop)

    with empty_database(OTHER[own], tmp_path) as other_url:
        refusal = shop.refused("restore", "shop.bak", FLASKART_DATABASE_URL=other_url)

        assert refusal == (
            f"flaskart: shop.bak is a backup of {own}, and the shop's database is {OTHER[own]}:"
            f" restore it into a {own} database and move that with `flaskart db copy`"
        )


def test_a_backup_of_an_earlier_version_is_migrated_by_init(shop: Shell, database_url: str, empty_url: str) -> None:
    earlier = Database(database_url)
    runner.downgrade(earlier, "0005")
    earlier.close()
    save(shop)

    printed = shop.done("restore", "shop.bak", FLASKART_DATABASE_URL=empty_url)

    assert printed == "Restored shop.bak, revision 0005.\nIt is of an earlier version: run `flaskart init`.\n"
    assert shop.done("db", "current", FLASKART_DATABASE_URL=empty_url) == f"0005 (the newest is {HEAD})\n"
    shop.done("init", FLASKART_DATABASE_URL=empty_url)
    assert shop.done("db", "current", FLASKART_DATABASE_URL=empty_url) == f"{HEAD}\n"


def test_a_backup_of_a_later_version_is_refused(shop: Shell, database_url: str, empty_url: str) -> None:
    later = Database(database_url)
    with later.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    later.close()
    save(shop)

    refusal = shop.refused("restore", "shop.bak", FLASKART_DATABASE_URL=empty_url)

    assert refusal == "flaskart: shop.bak is of revision 9999, which this version of Flaskart does not know"
    assert tables_at(empty_url) == set()


def test_progress_is_shown_on_a_terminal(shop: Shell, buyer: Caller, empty_url: str) -> None:
    written = shop.run("backup", "shop.bak", FORCE_COLOR="1")
    restored = shop.run("restore", "shop.bak", FORCE_COLOR="1", FLASKART_DATABASE_URL=empty_url)

    assert (written.returncode, restored.returncode) == (0, 0)
    assert "Backing up" in written.stderr
    assert "Restoring" in restored.stderr


def test_missing_programs_are_named_with_their_package(shop: Shell, buyer: Caller, db: Database) -> None:
    """SQLite needs none."""
    if db.engine.dialect.name == "sqlite":
        shop.done("backup", "shop.bak", PATH="")
        return

    refusal = shop.refused("backup", "shop.bak", PATH="")

    assert refusal == "flaskart: pg_dump is not installed: it comes with the Debian package postgresql-client"
    assert list(shop.folder.iterdir()) == []


def test_a_pg_dump_older_than_its_server_is_refused(shop: Shell, buyer: Caller, db: Database, tmp_path: Path) -> None:
    """SQLite needs none."""
    programs = tmp_path / "programs"
    write_program(programs / "pg_dump", "echo 'pg_dump (PostgreSQL) 9.6.24'")
    if db.engine.dialect.name == "sqlite":
        shop.done("backup", "shop.bak", PATH=str(programs))
        return
    with db.read() as session:
        server = str(session.scalar(text("SHOW server_version"))).partition(".")[0]

    refusal = shop.refused("backup", "shop.bak", PATH=str(programs))

    assert refusal == (
        f"flaskart: pg_dump is older than the server, which is PostgreSQL {server}:"
        f" install the Debian package postgresql-client-{server}"
    )
    assert not (shop.folder / "shop.bak").exists()


def test_no_password_is_on_a_command_line(shop: Shell, buyer: Caller, database_url: str, tmp_path: Path) -> None:
    """SQLite has no password, and starts no program."""
    programs, seen = tmp_path / "programs", tmp_path / "seen"
    real = shutil.which("pg_dump")
    write_program(programs / "pg_dump", f'echo "$@" >> {seen}; exec {real} "$@"')

    shop.done("backup", "shop.bak", PATH=f"{programs}{os.pathsep}{os.environ['PATH']}")

    if engine_of(database_url) == "sqlite":
        assert not seen.exists()
        return
    url = make_url(database_url)
    assert f"--dbname=postgresql://{url.username}@{url.host}:{url.port}/{url.database}" in seen.read_text()
    assert f":{url.password}@" not in seen.read_text()


def test_a_backup_in_sqlite_is_one_file_that_reading_does_not_change(
    shop: Shell, buyer: Caller, database_url: str
) -> None:
    """PostgreSQL's is an archive."""
    save(shop)
    backup = shop.folder / "shop.bak"
    if engine_of(database_url) == "postgresql":
        assert backup.read_bytes().startswith(b"PGDMP")
        return

    with closing(sqlite3.connect(f"{backup.as_uri()}?mode=ro", uri=True)) as connection:
        orders = connection.execute('SELECT count(*) FROM "order"').fetchone()

    assert orders == (1,)
    assert sorted(path.name for path in shop.folder.glob("shop.bak*")) == ["shop.bak"]


def write_program(path: Path, script: str) -> None:
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
