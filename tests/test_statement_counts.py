"""How many statements each operation sends, BEGIN and COMMIT included: speed that no clock has to tell."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, select

from flaskart.cart.models import Cart, CartLine
from flaskart.catalog.models import Variant
from flaskart.kit.db import Database
from flaskart.listings.actions import NewListing, add_listings
from flaskart.web.http import KEY
from flaskart.web.openapi import ShopApp
from tests.callers import Caller, Make


@contextmanager
def counted(app: ShopApp) -> Iterator[list[str]]:
    """Collect the statements that the app sends inside the block."""
    engine: Engine = app.extensions[KEY].db.engine
    sent: list[str] = []

    def on_execute(_connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    def on_begin(connection: Connection) -> None:
        # SQLite's BEGIN is a statement of ours and counted as such; PostgreSQL's driver sends it by itself.
        if connection.dialect.name == "postgresql" and not connection.get_execution_options().get("flaskart_reads"):
            sent.append("BEGIN")

    def on_commit(_connection: Connection) -> None:
        sent.append("COMMIT")

    listeners = (("before_cursor_execute", on_execute), ("begin", on_begin), ("commit", on_commit))
    for name, listener in listeners:
        event.listen(engine, name, listener)
    yield sent
    for name, listener in listeners:
        event.remove(engine, name, listener)


def fill_cart(db: Database, buyer: Caller, lines: int) -> None:
    """Give a buyer a cart of so many lines, all but the first put there directly, since adding 500 takes its time."""
    goods = [NewListing(f"Thing {n}", f"thing-{n}", "", 100 + n, "USD", stock=5) for n in range(lines)]
    with db.write() as session:
        add_listings(session, goods)
    assert buyer.post("/cart", {"product_id": 1}).status == 200
    with db.write() as session:
        cart_id = session.scalars(select(Cart.id)).one()
        variant_ids = session.scalars(select(Variant.id).where(Variant.product_id != 1).order_by(Variant.id))
        session.add_all([CartLine(cart_id=cart_id, variant_id=id_, quantity=1) for id_ in variant_ids])


@pytest.mark.parametrize("products", [1, 60])
def test_a_list_of_products_is_one_statement(app: ShopApp, anyone: Caller, make: Make, products: int) -> None:
    for number in range(products):
        make.product(f"Mug {number}")

    with counted(app) as sent:
        anyone.get("/products?limit=50")

    assert len(sent) == 1


@pytest.mark.parametrize("name", ["1", "enamel-mug", "nothing"])
def test_a_product_is_one_statement(app: ShopApp, anyone: Caller, make: Make, name: str) -> None:
    make.product("Enamel mug")

    with counted(app) as sent:
        anyone.get(f"/products/{name}")

    assert len(sent) == 1


def test_adding_to_the_cart_is_seven_statements(app: ShopApp, make: Make) -> None:
    alice = make.customer()
    mug = make.product()

    for _ in range(2):  # into a new cart, and into the same line again
        with counted(app) as sent:
            assert alice.post("/cart", {"product_id": mug}).status == 200

        assert len(sent) == 7


def test_an_idempotency_key_costs_two_statements(app: ShopApp, make: Make) -> None:
    alice = make.customer()
    mug = make.product()

    with counted(app) as sent:
        assert alice.post("/cart", {"product_id": mug}, Idempotency_Key="k").status == 200

    assert len(sent) == 9


@pytest.mark.parametrize("lines", [1, 50, 500])
def test_an_order_is_the_same_number_of_statements_whatever_its_lines(
    app: ShopApp, db: Database, make: Make, lines: int
) -> None:
    alice = make.customer()
    fill_cart(db, alice, lines)

    with counted(app) as cart:
        assert len(alice.get("/cart").json["cart"]) == lines
    with counted(app) as order:
        placed = alice.post("/orders", Idempotency_Key="one")
        assert placed.status == 201
    with counted(app) as details:
        assert len(alice.get(f"/orders/{placed.json['order_id']}").json["order"]["items"]) == lines
    with counted(app) as canceled:
        assert alice.post(f"/orders/{placed.json['order_id']}/cancel").status == 200

    assert (len(cart), len(order), len(details), len(canceled)) == (2, 16, 3, 11)
