"""What migrations do to the rows that are there already."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from flaskart.accounts.queries import get_permissions
from flaskart.kit.actor import OF_EVERYONE, OF_STAFF
from flaskart.kit.db import Database
from flaskart.migrations import runner

ACCOUNT = (
    "INSERT INTO customer (username, username_folded, email, email_folded, password_hash, role, created_at, erased_at)"
    " VALUES (:name, :name, :name, :name, '', :role, CURRENT_TIMESTAMP, {erased_at})"
)


@pytest.fixture
def schema(database_url: str) -> Iterator[Database]:
    """The database, whose schema the test is free to change."""
    database = Database(database_url)
    yield database
    database.close()


def test_who_was_staff_before_there_were_roles_is_an_owner(schema: Database) -> None:
    runner.downgrade(schema, "0008")
    with schema.write() as session:
        for name, role in (("boss", "staff"), ("alice", "customer")):
            session.execute(text(ACCOUNT.format(erased_at="NULL")), {"name": name, "role": role})
        session.execute(text(ACCOUNT.format(erased_at="CURRENT_TIMESTAMP")), {"name": "gone", "role": "staff"})

    runner.upgrade(schema, "0009")

    with schema.read() as session:
        roles = session.scalars(text("SELECT role FROM customer ORDER BY id")).all()
        held = [get_permissions(session, customer_id) for customer_id in (1, 2, 3)]
    assert roles == ["staff", "customer", "customer"]
    assert held == [OF_STAFF | OF_EVERYONE, OF_EVERYONE, OF_EVERYONE]
