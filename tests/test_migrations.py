"""Migrations lead to the models' schema and back, on both engines."""

from sqlalchemy import inspect

from flaskart import migrations
from flaskart.kit.db import Database
from flaskart.kit.tables import Table
from flaskart.migrations import runner
from flaskart.worker import create_worker


def test_the_schema_is_the_one_of_the_models(db: Database) -> None:
    runner.check(db)


def test_every_migration_goes_down_and_up_again(db: Database) -> None:
    revisions = sorted(path.name[:4] for path in (migrations.FOLDER / "versions").glob("0*.py"))

    for revision in reversed(revisions[:-1]):
        runner.downgrade(db, revision)
        assert migrations.current_revision(db) == revision
    runner.downgrade(db, "base")
    empty = set(inspect(db.engine).get_table_names()) - {"alembic_version"}
    runner.upgrade(db)

    assert empty == set()
    assert migrations.current_revision(db) == migrations.head_revision() == revisions[-1]
    assert set(inspect(db.engine).get_table_names()) == {"alembic_version", *Table.metadata.tables}
    runner.check(db)


def test_only_the_tables_that_are_named_have_rows_from_the_start(db: Database) -> None:
    with db.read() as session:
        filled = {name for name, table in Table.metadata.tables.items() if session.execute(table.select()).first()}

    assert filled == migrations.SEEDED
    assert not migrations.has_data(db)


def test_a_shop_in_which_only_a_worker_has_been_is_still_empty(db: Database) -> None:
    create_worker(db).set_up()

    assert not migrations.has_data(db)


def test_upgrading_twice_changes_nothing(db: Database) -> None:
    runner.upgrade(db)

    assert migrations.current_revision(db) == migrations.head_revision()
