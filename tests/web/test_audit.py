"""No write of staff or of a key is committed without its entry in the audit log."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import g
from sqlalchemy import select

from flaskart.inventory.models import StockLocation
from flaskart.kit.actor import OF_EVERYONE, OF_STAFF, Actor
from flaskart.kit.db import Database
from flaskart.web.audit import transaction
from flaskart.web.idempotency import writing
from flaskart.web.openapi import ShopApp
from tests.audit.logs import entries_of

BOSS = Actor(1, OF_STAFF, "a sign-in")
KEY = Actor(1, OF_EVERYONE, "", key_id=5)
ALICE = Actor(1, OF_EVERYONE, "a sign-in")


@contextmanager
def request_of(app: ShopApp, actor: Actor, path: str) -> Iterator[None]:
    with app.test_request_context(path, method="POST"):
        g.actor, g.request_id = actor, "a request"
        yield


def places(db: Database) -> list[str]:
    with db.read() as session:
        return list(session.scalars(select(StockLocation.name).order_by(StockLocation.id)))


@pytest.mark.parametrize("opened", [writing, transaction])
def test_a_write_of_staff_that_records_nothing_is_rolled_back(app: ShopApp, db: Database, opened: object) -> None:
    open_transaction = writing if opened is writing else transaction

    with (
        request_of(app, BOSS, "/products"),
        pytest.raises(AssertionError, match="a write of staff must be recorded in its transaction"),
        open_transaction() as session,
    ):
        session.add(StockLocation(name="Cellar"))

    assert places(db) == ["Main"]


def test_what_a_key_does_for_its_owner_is_recorded_under_the_operations_name(app: ShopApp, db: Database) -> None:
    with request_of(app, KEY, "/cart"), writing() as session:
        session.add(StockLocation(name="Cellar"))

    [entry] = entries_of(db)
    assert (entry.actor_kind, entry.actor_id, entry.action) == ("key", 5, "cart.add_to_cart")
    assert (entry.subject_kind, entry.subject_id, entry.request_id) == ("customer", 1, "a request")


def test_what_a_customer_does_is_not_recorded(app: ShopApp, db: Database) -> None:
    with request_of(app, ALICE, "/cart"), writing() as session:
        session.add(StockLocation(name="Cellar"))

    assert places(db) == ["Main", "Cellar"]
    assert entries_of(db) == []
