"""Migrations lead to the models' schema and back, on both engines."""

from datetime import UTC, datetime

from sqlalchemy import inspect, text

from flaskart import migrations
from flaskart.kit.db import Database
from flaskart.kit.tables import Table
from flaskart.migrations import runner
from tests.workers import shops_worker


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
    shops_worker(db).set_up()

    assert not migrations.has_data(db)


def test_upgrading_twice_changes_nothing(db: Database) -> None:
    runner.upgrade(db)

    assert migrations.current_revision(db) == migrations.head_revision()


def test_sign_ins_go_on_through_the_migration_that_gives_them_rows_of_their_own(db: Database) -> None:
    runner.downgrade(db, "0008")
    now = {"now": datetime(2026, 3, 1, 12, tzinfo=UTC)}
    with db.write() as session:
        session.execute(
            text(
                "INSERT INTO customer (username, username_folded, email, email_folded, password_hash, role, created_at)"
                " VALUES ('a', 'a', 'a@b.c', 'a@b.c', '', 'customer', :now)"
            ),
            now,
        )
        for family, token, revoked in (("one", "1", None), ("one", "2", now["now"]), ("two", "3", now["now"])):
            session.execute(
                text(
                    "INSERT INTO refresh_token (customer_id, family, token_hash, created_at, expires_at, revoked_at)"
                    " VALUES (1, :family, :token, :now, :now, :revoked)"
                ),
                now | {"family": family, "token": token, "revoked": revoked},
            )

    runner.upgrade(db)
    with db.read() as session:
        up = session.execute(text("SELECT customer_id, family, revoked_at IS NULL FROM sign_in ORDER BY id")).all()
    runner.downgrade(db, "0008")
    with db.read() as session:
        down = session.execute(text("SELECT family, revoked_at IS NULL FROM refresh_token ORDER BY id")).all()
        accounts = session.execute(text("SELECT count(*) FROM customer")).scalar_one()
    runner.upgrade(db)

    assert [tuple(row) for row in up] == [(1, "one", True), (1, "two", False)]
    assert [tuple(row) for row in down] == [("one", True), ("one", True), ("two", False)]
    assert accounts == 1
