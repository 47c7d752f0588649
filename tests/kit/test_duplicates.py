"""Violated constraints become the room's errors, by the names that each engine reports."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from flaskart.catalog.models import Product, ProductStatus
from flaskart.kit import clock
from flaskart.kit.db import Database
from flaskart.kit.duplicates import translated, violated_constraint
from flaskart.kit.errors import Conflict

NAMES = "uq_product_slug product.slug"


class Taken(Conflict):
    code = "taken"
    message = "Taken"


def product(slug: str, status: str = ProductStatus.PUBLISHED) -> Product:
    now = clock.now()
    return Product(name="Mug", slug=slug, description="", status=status, created_at=now, updated_at=now)


def slugs(db: Database) -> list[str]:
    with db.read() as session:
        return list(session.scalars(select(Product.slug).order_by(Product.id)))


def test_a_violation_of_a_named_constraint_becomes_its_error(db: Database) -> None:
    with db.write() as session:
        session.add(product("mug"))

    with pytest.raises(Taken) as refusal, db.write() as session, translated(session, {NAMES: Taken}):
        session.add(product("mug"))

    assert isinstance(refusal.value.__cause__, IntegrityError)
    assert slugs(db) == ["mug"]


def test_a_violation_of_another_constraint_stays_what_it_is(db: Database) -> None:
    with pytest.raises(IntegrityError), db.write() as session, translated(session, {NAMES: Taken}):
        session.add(product("mug", status="sold"))

    assert slugs(db) == []


def test_what_violates_nothing_is_flushed_at_the_end_of_the_block(db: Database) -> None:
    with db.write() as session:
        with translated(session, {NAMES: Taken}):
            session.add(product("mug"))

        assert session.execute(text("SELECT slug FROM product")).scalars().all() == ["mug"]


def test_each_engine_names_the_unique_constraint_its_own_way(db: Database) -> None:
    with pytest.raises(IntegrityError) as violation, db.write() as session:
        session.add_all([product("mug"), product("mug")])

    assert violated_constraint(violation.value) in NAMES.split()


def test_a_check_is_named_alike_on_both_engines(db: Database) -> None:
    with pytest.raises(IntegrityError) as violation, db.write() as session:
        session.add(product("mug", status="sold"))

    assert violated_constraint(violation.value) == "ck_product_status"
