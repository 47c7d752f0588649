"""`flaskart db`: the schema."""

from collections.abc import Iterator

import pytest
from sqlalchemy import inspect

from flaskart import migrations
from flaskart.kit.db import Database
from flaskart.migrations import runner
from tests.cli.shells import Shell

HEAD = migrations.head_revision()


@pytest.fixture
def schema(database_url: str) -> Iterator[Database]:
    """The database, whose schema the test is free to change."""
    database = Database(database_url)
    yield database
    database.close()


def test_current_prints_the_revision(shop: Shell) -> None:
    assert shop.done("db", "current") == f"{HEAD}\n"


def test_current_says_when_there_is_a_newer_one_or_none_yet(shop: Shell, schema: Database) -> None:
    runner.downgrade(schema, "0001")
    assert shop.done("db", "current") == f"0001 (the newest is {HEAD})\n"
    runner.downgrade(schema, "base")
    assert shop.done("db", "current") == f"not migrated (the newest is {HEAD})\n"


def test_check_is_content_with_a_migrated_database(shop: Shell) -> None:
    result = shop.run("db", "check")

    assert (result.returncode, result.stderr) == (0, "")


def test_check_tells_what_differs_from_the_models(shop: Shell, schema: Database) -> None:
    with schema.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE customer ADD COLUMN nickname VARCHAR(20)")

    refusal = shop.refused("db", "check")

    assert refusal.startswith("flaskart: New upgrade operations detected: ")
    assert "nickname" in refusal


def test_check_refuses_a_database_that_is_behind(shop: Shell, schema: Database) -> None:
    runner.downgrade(schema, "0001")

    assert shop.refused("db", "check") == "flaskart: Target database is not up to date."


def test_upgrade_makes_all_tables_and_may_be_repeated(shop: Shell, schema: Database) -> None:
    tables = tables_of(schema)
    runner.downgrade(schema, "base")

    shop.done("db", "upgrade")
    shop.done("db", "upgrade")

    assert tables_of(schema) == tables
    assert migrations.current_revision(schema) == HEAD


def test_upgrade_stops_at_the_revision_that_is_asked_for(shop: Shell, schema: Database) -> None:
    runner.downgrade(schema, "base")

    shop.done("db", "upgrade", "0002")

    assert migrations.current_revision(schema) == "0002"
    assert tables_of(schema) == {"alembic_version", "customer", "refresh_token", "product", "variant"}


def test_downgrade_takes_everything_back(shop: Shell, schema: Database) -> None:
    shop.done("db", "downgrade", "base", "--yes")

    assert migrations.current_revision(schema) is None
    assert tables_of(schema) == {"alembic_version"}


@pytest.mark.parametrize("answer", ["", "n\n"])
def test_downgrade_asks_first(shop: Shell, schema: Database, answer: str) -> None:
    tables = tables_of(schema)

    result = shop.run("db", "downgrade", "base", stdin=answer)

    assert result.returncode == 1
    assert result.stdout.startswith("What later revisions added will be lost. Go on? [y/N]: ")
    assert migrations.current_revision(schema) == HEAD
    assert tables_of(schema) == tables


@pytest.mark.parametrize("command", [("upgrade", "9999"), ("downgrade", "9999", "--yes")])
def test_an_unknown_revision_is_refused_in_one_line(shop: Shell, schema: Database, command: tuple[str, ...]) -> None:
    refusal = shop.refused("db", *command)

    assert refusal == "flaskart: Can't locate revision identified by '9999'"
    assert migrations.current_revision(schema) == HEAD


def tables_of(schema: Database) -> set[str]:
    return {name for name in inspect(schema.engine).get_table_names() if name != "sqlite_sequence"}
