"""`GET /cart`: what one means to buy, at today's prices, and whether one could have it."""

from decimal import Decimal

import pytest
from sqlalchemy import update

from flaskart.inventory.models import StockLevel
from flaskart.kit.db import Database
from tests.callers import Caller, Make, MakeWith
from tests.cart.bulk import fill_cart, many_variants

EMPTY = {"cart": [], "items_count": 0, "subtotal": 0, "total": 0, "currency": "USD"}


def test_a_cart_is_empty_before_anything_is_added(make: Make) -> None:
    alice = make.customer()

    answer = alice.get("/cart")

    assert answer.status == 200
    assert answer.json == EMPTY
    assert b'"total":0.00,' in answer.body


def test_an_empty_cart_is_in_the_shops_currency(make_with: MakeWith) -> None:
    answer = make_with(currency="JPY").customer().get("/cart")

    assert answer.json == EMPTY | {"currency": "JPY"}
    assert b'"total":0,' in answer.body


def test_looking_at_a_cart_makes_none(make: Make) -> None:
    alice = make.customer()
    before = make.everything()

    alice.get("/cart")

    assert make.everything() == before


def test_a_cart_shows_its_lines_in_the_order_they_were_added(make: Make) -> None:
    alice = make.customer()
    mug, bowl = make.product("Mug", price="19.99", stock=10), make.product("Bowl", price="0.10", stock=3)
    skus = {id_: alice.get(f"/products/{id_}").json["product"]["sku"] for id_ in (mug, bowl)}
    alice.post("/cart", {"product_id": bowl, "quantity": 3})
    alice.post("/cart", {"product_id": mug, "quantity": 2})

    answer = alice.get("/cart")

    assert answer.json == {
        "cart": [
            {
                "product_id": bowl,
                "variant_id": bowl,
                "sku": skus[bowl],
                "name": "Bowl",
                "quantity": 3,
                "price": Decimal("0.10"),
                "total": Decimal("0.30"),
                "available": 3,
                "is_available": True,
            },
            {
                "product_id": mug,
                "variant_id": mug,
                "sku": skus[mug],
                "name": "Mug",
                "quantity": 2,
                "price": Decimal("19.99"),
                "total": Decimal("39.98"),
                "available": 10,
                "is_available": True,
            },
        ],
        "items_count": 5,
        "subtotal": Decimal("40.28"),
        "total": Decimal("40.28"),
        "currency": "USD",
    }


def test_a_total_is_exact_however_large(make: Make, db: Database) -> None:
    alice = make.customer()
    prices = [10**12, 10**12 - 1, 1, 0, 29, 115, 1_999]
    variants = many_variants(db, prices, stock=10_000)
    fill_cart(db, alice, dict.fromkeys(variants, 10_000))

    cart = alice.get("/cart").json

    assert [line["total"] for line in cart["cart"]] == [Decimal(price * 10_000) / 100 for price in prices]
    assert cart["total"] == Decimal("200000000214300.00")
    assert cart["items_count"] == 70_000


def test_a_new_price_and_name_show_in_the_cart(make: Make) -> None:
    boss, alice, mug = make.staff(), make.customer(), make.product("Mug", price="19.99")
    alice.post("/cart", {"product_id": mug, "quantity": 3})

    boss.patch(f"/products/{mug}", {"price": Decimal("4.05"), "name": "Cup"})

    cart = alice.get("/cart").json
    assert [(line["name"], line["price"], line["total"]) for line in cart["cart"]] == [
        ("Cup", Decimal("4.05"), Decimal("12.15"))
    ]
    assert cart["total"] == Decimal("12.15")


@pytest.mark.parametrize(("stock", "is_available"), [(0, False), (2, False), (3, True)])
def test_a_line_tells_whether_one_could_still_have_it(make: Make, stock: int, is_available: bool) -> None:
    boss, alice, mug = make.staff(), make.customer(), make.product("Mug", stock=10)
    alice.post("/cart", {"product_id": mug, "quantity": 3})

    boss.patch(f"/products/{mug}", {"stock": stock})

    (line,) = alice.get("/cart").json["cart"]
    assert (line["quantity"], line["available"], line["is_available"]) == (3, stock, is_available)


def test_an_archived_product_stays_in_the_cart_as_not_available(make: Make) -> None:
    boss, alice, bob, mug = make.staff(), make.customer(), make.customer("bob"), make.product("Mug", stock=10)
    for shopper in (alice, bob):
        shopper.post("/cart", {"product_id": mug, "quantity": 2})
    bob.post("/orders")

    boss.delete(f"/products/{mug}")

    (line,) = alice.get("/cart").json["cart"]
    assert (line["product_id"], line["quantity"], line["available"], line["is_available"]) == (mug, 2, 0, False)


@pytest.mark.parametrize(("backorder_limit", "available"), [(0, 3), (5, 8), (None, 10_000)])
def test_backorders_count_as_available(make: Make, db: Database, backorder_limit: int | None, available: int) -> None:
    alice, mug = make.customer(), make.product("Mug", stock=3)
    with db.write() as session:
        session.execute(update(StockLevel).values(backorder_limit=backorder_limit))

    answer = alice.post("/cart", {"product_id": mug, "quantity": available})

    assert [(line["available"], line["is_available"]) for line in answer.json["cart"]] == [(available, True)]


def test_ones_cart_is_nobody_elses(make: Make) -> None:
    alice, bob, boss, mug = make.customer(), make.customer("bob"), make.staff(), make.product()
    alice.post("/cart", {"product_id": mug})

    seen = [caller.get("/cart").json["cart"] for caller in (bob, boss)]

    assert seen == [[], []]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/cart"), ("POST", "/cart"), ("PATCH", "/cart/1"), ("DELETE", "/cart/1"), ("DELETE", "/cart/clear")],
)
def test_a_cart_needs_somebody_signed_in(anyone: Caller, method: str, path: str) -> None:
    answer = anyone.call(method, path)

    assert (answer.status, answer.json["code"]) == (401, "unauthenticated")
