"""`flaskart init`: from nothing to a shop."""

import stat
from pathlib import Path

from flaskart import migrations
from flaskart.kit.db import Database
from flaskart.migrations import runner
from tests.cli.shells import Shell

HEAD = migrations.head_revision()


def test_init_makes_a_folder_a_secret_and_a_migrated_database(nowhere: Shell) -> None:
    printed = nowhere.done("init")

    assert printed == (f"Wrote a new secret to instance/secret.key\nThe database is at revision {HEAD}\n")
    instance = nowhere.folder / "instance"
    assert sorted(path.name for path in instance.iterdir()) == ["flaskart.db", "secret.key"]
    assert mode_of(instance) == 0o700
    assert mode_of(instance / "secret.key") == 0o600
    assert len((instance / "secret.key").read_bytes()) == 64
    assert nowhere.done("db", "current") == f"{HEAD}\n"
    assert nowhere.done("doctor") == "All is well.\n"


def test_init_may_be_repeated_and_keeps_the_secret_and_the_data(nowhere: Shell) -> None:
    nowhere.done("init")
    nowhere.done("user", "create", "alice", "alice@example.com", "--password-stdin", stdin="correct horse\n")
    secret = (nowhere.folder / "instance" / "secret.key").read_bytes()

    printed = nowhere.done("init")

    assert printed == f"The database is at revision {HEAD}\n"
    assert (nowhere.folder / "instance" / "secret.key").read_bytes() == secret
    assert '"username":"alice"' in nowhere.done("user", "list", "--json")


def test_each_shop_has_a_secret_of_its_own(nowhere: Shell) -> None:
    nowhere.done("init", FLASKART_INSTANCE="one")
    nowhere.done("init", FLASKART_INSTANCE="two")

    one, two = (nowhere.folder / shop / "secret.key" for shop in ("one", "two"))
    assert one.read_bytes() != two.read_bytes()


def test_with_a_database_and_a_secret_of_its_own_a_shop_needs_no_folder(shop: Shell, database_url: str) -> None:
    empty(database_url)

    printed = shop.done("init")

    assert printed == f"The database is at revision {HEAD}\n"
    assert shop.done("db", "current") == f"{HEAD}\n"
    assert list(shop.folder.iterdir()) == []


def test_a_short_secret_stops_init_before_the_database_is_touched(shop: Shell, database_url: str) -> None:
    empty(database_url)

    refusal = shop.refused("init", FLASKART_SECRET_KEY="short")

    assert refusal == "flaskart: FLASKART_SECRET_KEY is too short: at least 32 bytes are needed"
    assert shop.done("db", "current") == f"not migrated (the newest is {HEAD})\n"


def test_a_short_secret_file_is_refused_and_stays_as_it_is(nowhere: Shell) -> None:
    (nowhere.folder / "instance").mkdir()
    (nowhere.folder / "instance" / "secret.key").write_text("short")

    refusal = nowhere.refused("init")

    assert refusal == "flaskart: instance/secret.key is too short: at least 32 bytes are needed"
    assert [path.name for path in (nowhere.folder / "instance").iterdir()] == ["secret.key"]
    assert (nowhere.folder / "instance" / "secret.key").read_text() == "short"


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def empty(database_url: str) -> None:
    database = Database(database_url)
    runner.downgrade(database, "base")
    database.close()
