"""`DELETE /products/{id}`: gone if nobody ever ordered it, archived otherwise."""

from decimal import Decimal

import pytest
from sqlalchemy import func, select

from flaskart.cart.models import CartLine
from flaskart.catalog.models import Product, Variant
from flaskart.inventory.models import StockLevel, StockMovement
from flaskart.kit.db import Database
from tests.callers import Caller, Make

LEFT_BEHIND = (Product, Variant, StockLevel, StockMovement, CartLine)


def counts(db: Database) -> list[int]:
    with db.read() as session:
        return [session.scalars(select(func.count()).select_from(table)).one() for table in LEFT_BEHIND]


def test_a_product_nobody_ordered_is_deleted_with_all_that_is_its(make: Make, anyone: Caller, db: Database) -> None:
    boss, mug = make.staff(), make.product("Mug")

    answer = boss.delete(f"/products/{mug}")

    assert answer.status == 200
    assert answer.json == {"msg": "Product deleted", "product_id": mug}
    assert counts(db) == [0, 0, 0, 0, 0]
    assert anyone.get("/products").json["products"] == []
    assert anyone.get("/products/mug").status == 404


def test_deleting_a_product_takes_it_out_of_all_carts(make: Make, db: Database) -> None:
    boss, alice, bob = make.staff(), make.customer("alice"), make.customer("bob")
    mug, bowl = make.product("Mug"), make.product("Bowl", price="7.50")
    for shopper in (alice, bob):
        shopper.post("/cart", {"product_id": mug, "quantity": 2})
    bob.post("/cart", {"product_id": bowl})

    boss.delete(f"/products/{mug}")

    assert alice.get("/cart").json["cart"] == []
    assert [line["product_id"] for line in bob.get("/cart").json["cart"]] == [bowl]
    assert bob.get("/cart").json["total"] == Decimal("7.50")
    assert counts(db) == [1, 1, 1, 1, 1]


def test_a_product_that_was_ordered_leaves_the_shop_but_not_the_order(make: Make, anyone: Caller, db: Database) -> None:
    boss, alice, mug = make.staff(), make.customer(), make.product("Mug")
    alice.post("/cart", {"product_id": mug, "quantity": 2})
    order_id = alice.post("/orders").json["order_id"]
    order = alice.get(f"/orders/{order_id}").json

    answer = boss.delete(f"/products/{mug}")

    assert answer.status == 200
    assert answer.json == {"msg": "Product deleted", "product_id": mug}
    assert anyone.get("/products").json["products"] == []
    assert [anyone.get(f"/products/{name}").status for name in (mug, "mug")] == [404, 404]
    assert alice.post("/cart", {"product_id": mug}).json["code"] == "variant_not_found"
    assert alice.get(f"/orders/{order_id}").json == order
    with db.read() as session:
        assert session.execute(select(Product.id, Product.status)).all() == [(mug, "archived")]


def test_the_stock_of_an_archived_product_comes_back_when_its_order_is_canceled(make: Make, db: Database) -> None:
    boss, alice, mug = make.staff(), make.customer(), make.product("Mug", stock=10)
    alice.post("/cart", {"product_id": mug, "quantity": 3})
    order_id = alice.post("/orders").json["order_id"]
    boss.delete(f"/products/{mug}")

    canceled = alice.post(f"/orders/{order_id}/cancel")

    assert canceled.status == 200
    with db.read() as session:
        assert session.execute(select(StockLevel.on_hand, StockLevel.allocated)).all() == [(10, 0)]


def test_an_archived_product_gives_its_slug_and_sku_free(make: Make, anyone: Caller) -> None:
    boss, alice, mug = make.staff(), make.customer(), make.product("Mug")
    sku = boss.get(f"/products/{mug}").json["product"]["sku"]
    alice.post("/cart", {"product_id": mug})
    order = alice.post("/orders").json["order"]
    boss.delete(f"/products/{mug}")

    added = boss.post("/products", {"name": "Cup", "price": 1, "slug": "mug", "sku": sku})

    assert added.status == 201
    assert anyone.get("/products/mug").json["product"]["name"] == "Cup"
    assert alice.get(f"/orders/{order['id']}").json["order"] == order


def test_no_slug_or_sku_of_another_stands_in_the_way_of_archiving(make: Make, db: Database) -> None:
    boss, alice, mug = make.staff(), make.customer(), make.product("Mug")
    alice.post("/cart", {"product_id": mug})
    alice.post("/orders")
    taken = {"slug": f"archived-{mug}", "sku": f"archived-{mug}"}
    assert boss.post("/products", {"name": "Bowl", "price": 1} | taken).status == 201

    answer = boss.delete(f"/products/{mug}")

    assert answer.status == 200
    with db.read() as session:
        assert session.scalars(select(Product.status).order_by(Product.id)).all() == ["archived", "published"]


def test_an_id_is_never_used_twice(make: Make) -> None:
    boss, mug = make.staff(), make.product("Mug")
    boss.delete(f"/products/{mug}")

    assert make.product("Bowl") > mug


@pytest.mark.parametrize("was_ordered", [False, True])
def test_a_removed_product_can_be_neither_removed_nor_edited_again(make: Make, was_ordered: bool) -> None:
    boss, alice, mug = make.staff(), make.customer(), make.product("Mug")
    if was_ordered:
        alice.post("/cart", {"product_id": mug})
        alice.post("/orders")
    boss.delete(f"/products/{mug}")
    before = make.everything()

    answers = [boss.delete(f"/products/{mug}"), boss.patch(f"/products/{mug}", {"name": "Cup"})]

    assert [(answer.status, answer.json["msg"]) for answer in answers] == [(404, "Product not found")] * 2
    assert make.everything() == before


def test_what_is_no_product_is_not_found(make: Make) -> None:
    boss, mug = make.staff(), make.product("Mug")
    assert mug == 1
    before = make.everything()

    for name in ("2", "0", "9223372036854775807", "9223372036854775808", "9" * 5_000, "bowl", "MUG", "-1", "mug%00"):
        answer = boss.delete(f"/products/{name}")

        assert (answer.status, answer.json["msg"]) == (404, "Product not found")
    assert make.everything() == before


def test_a_product_is_removed_by_its_slug_too(make: Make, anyone: Caller) -> None:
    boss, mug, bowl = make.staff(), make.product("Mug"), make.product("Bowl")

    answer = boss.delete("/products/mug")

    assert (answer.status, answer.json) == (200, {"msg": "Product deleted", "product_id": mug})
    assert [product["id"] for product in anyone.get("/products").json["products"]] == [bowl]


def test_only_staff_remove_products(make: Make) -> None:
    alice, mug = make.customer(), make.product("Mug")
    before = make.everything()

    refused = [caller.delete(f"/products/{mug}") for caller in (alice, make.anyone())]

    assert [answer.status for answer in refused] == [403, 401]
    assert make.everything() == before
