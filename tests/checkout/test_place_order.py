"""`POST /orders`: the cart becomes an order, or everything stays as it was."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from flaskart.inventory.models import StockLevel, StockMovement
from flaskart.kit.db import Database
from tests.callers import Caller, Make, MakeWith
from tests.cart.bulk import fill_cart, many_variants


def shopper_with_cart(make: Make) -> Caller:
    """Return alice with two of product 1 (19.99 each, ten in stock) and one of product 2 (7.50, five in stock)."""
    alice, mug, bowl = make.customer(), make.product("Mug", stock=10), make.product("Bowl", price="7.50", stock=5)
    alice.post("/cart", {"product_id": mug, "quantity": 2})
    assert alice.post("/cart", {"product_id": bowl}).status == 200
    return alice


def test_a_placed_order_is_answered_in_full(make: Make) -> None:
    alice = shopper_with_cart(make)
    skus = [line["sku"] for line in alice.get("/cart").json["cart"]]

    answer = alice.post("/orders")

    assert answer.status == 201
    placed = answer.json
    date = placed["order"].pop("date")
    assert date.endswith("Z")
    assert timedelta() <= datetime.now(UTC) - datetime.fromisoformat(date) < timedelta(minutes=1)
    mug = {"product_id": 1, "variant_id": 1, "sku": skus[0], "product_name": "Mug", "quantity": 2}
    bowl = {"product_id": 2, "variant_id": 2, "sku": skus[1], "product_name": "Bowl", "quantity": 1}
    assert placed == {
        "msg": "Order placed successfully",
        "order_id": 1,
        "order": {
            "id": 1,
            "number": "1001",
            "status": "placed",
            "payment_status": "none",
            "fulfillment_status": "unfulfilled",
            "return_status": "none",
            "items_count": 3,
            "total": Decimal("47.48"),
            "currency": "USD",
            "email": "alice@example.com",
            "canceled_at": None,
            "subtotal": Decimal("47.48"),
            "discount_total": 0,
            "shipping_total": 0,
            "tax_total": 0,
            "items": [
                mug | {"price": Decimal("19.99"), "total": Decimal("39.98")},
                bowl | {"price": Decimal("7.50"), "total": Decimal("7.50")},
            ],
        },
    }


def test_exactly_what_is_ordered_is_taken_from_stock(make: Make, db: Database) -> None:
    alice = shopper_with_cart(make)

    alice.post("/orders")

    assert [make.stock_of(product_id) for product_id in (1, 2)] == [8, 4]
    with db.read() as session:
        levels = session.execute(select(StockLevel.on_hand, StockLevel.allocated).order_by(StockLevel.id)).all()
        ledger = session.execute(
            select(StockMovement.stock_level_id, StockMovement.allocated_delta, StockMovement.reference)
            .where(StockMovement.kind == "allocated")
            .order_by(StockMovement.stock_level_id)
        ).all()
    assert levels == [(10, 2), (5, 1)]
    assert ledger == [(1, 2, "order:1"), (2, 1, "order:1")]


def test_the_cart_is_empty_afterwards_and_a_new_one_starts(make: Make) -> None:
    alice = shopper_with_cart(make)
    first = alice.post("/orders").json["order"]

    emptied = alice.get("/cart").json
    again = alice.post("/cart", {"product_id": 2, "quantity": 3})
    second = alice.post("/orders").json["order"]

    assert (emptied["cart"], emptied["total"]) == ([], 0)
    assert [(line["product_id"], line["quantity"]) for line in again.json["cart"]] == [(2, 3)]
    assert [(order["number"], order["total"]) for order in (first, second)] == [
        ("1001", Decimal("47.48")),
        ("1002", Decimal("22.50")),
    ]
    assert alice.get("/orders/1").json["order"] == first


def test_an_empty_cart_is_no_order(make: Make) -> None:
    alice, bob, carol = shopper_with_cart(make), make.customer("bob"), make.customer("carol")
    alice.delete("/cart/clear")
    carol.post("/cart", {"product_id": 1})
    carol.post("/orders")
    before = make.everything()

    answers = [caller.post("/orders") for caller in (alice, bob, carol)]  # emptied, never there, ordered already

    assert [(answer.status, answer.json["code"]) for answer in answers] == [(400, "cart_empty")] * 3
    assert {answer.json["msg"] for answer in answers} == {"Cart is empty"}
    assert make.everything() == before


def test_stock_that_is_gone_is_named_line_by_line_and_nothing_changes(make: Make) -> None:
    alice, boss = shopper_with_cart(make), make.staff()
    apron = make.product("Apron", stock=3)
    alice.post("/cart", {"product_id": apron, "quantity": 3})
    boss.patch("/products/1", {"stock": 1})
    boss.patch(f"/products/{apron}", {"stock": 0})
    cart, before = alice.get("/cart").json, make.everything()

    answer = alice.post("/orders")

    assert answer.status == 409
    assert answer.json["code"] == "insufficient_stock"
    assert answer.json["msg"] == "There is not enough stock of: Mug, Apron"
    assert answer.json["lines"] == [
        {"product_id": 1, "variant_id": 1, "name": "Mug", "wanted": 2, "available": 1},
        {"product_id": apron, "variant_id": apron, "name": "Apron", "wanted": 3, "available": 0},
    ]
    assert make.everything() == before
    assert alice.get("/cart").json == cart


def test_what_was_refused_can_be_ordered_once_the_cart_is_mended(make: Make) -> None:
    alice, boss = shopper_with_cart(make), make.staff()
    boss.patch("/products/1", {"stock": 1})
    assert alice.post("/orders").status == 409

    alice.patch("/cart/1", {"quantity": 1})
    answer = alice.post("/orders")

    assert (answer.status, answer.json["order"]["total"]) == (201, Decimal("27.49"))


def test_an_archived_product_is_not_sold_even_if_there_is_stock(make: Make) -> None:
    alice, bob, boss = shopper_with_cart(make), make.customer("bob"), make.staff()
    bob.post("/cart", {"product_id": 1})
    bob.post("/orders")
    boss.delete("/products/1")
    before = make.everything()

    answer = alice.post("/orders")

    assert (answer.status, answer.json["code"]) == (409, "insufficient_stock")
    assert [(line["product_id"], line["wanted"], line["available"]) for line in answer.json["lines"]] == [(1, 2, 0)]
    assert make.everything() == before


def test_todays_prices_are_agreed_on(make: Make) -> None:
    alice, boss = shopper_with_cart(make), make.staff()
    boss.patch("/products/1", {"price": Decimal("0.10"), "name": "Cup"})

    order = alice.post("/orders").json["order"]

    assert [(item["product_name"], item["price"]) for item in order["items"]] == [
        ("Cup", Decimal("0.10")),
        ("Bowl", Decimal("7.50")),
    ]
    assert order["total"] == Decimal("7.70")


@pytest.mark.parametrize("body", [{"expected_total": Decimal("47.48")}, {"expected_total": None}, {}, None])
def test_a_total_that_is_as_expected_or_not_expected_at_all_is_fine(make: Make, body: object) -> None:
    alice = shopper_with_cart(make)

    answer = alice.post("/orders", body)

    assert (answer.status, answer.json["order"]["total"]) == (201, Decimal("47.48"))


def test_an_expected_total_is_compared_by_value_not_by_its_writing(make: Make) -> None:
    alice = shopper_with_cart(make)

    answer = alice.call_raw("POST", "/orders", b'{"expected_total": 4748.0e-2}', Content_Type="application/json")

    assert answer.status == 201


def test_a_total_that_changed_is_refused_with_the_new_one(make: Make) -> None:
    alice = shopper_with_cart(make)
    before = make.everything()

    for expected in (Decimal("47.47"), Decimal("47.480000000000000000000000000000001"), 47, 0, 10**15):
        answer = alice.post("/orders", {"expected_total": expected})

        assert (answer.status, answer.json["code"]) == (409, "total_changed"), expected
        assert answer.json["total"] == Decimal("47.48")
        assert answer.json["expected_total"] == expected
        assert answer.json["currency"] == "USD"
    assert make.everything() == before


def test_a_body_of_another_shape_is_refused(make: Make) -> None:
    alice = shopper_with_cart(make)
    before = make.everything()

    for body, pointer in (
        ({"colour": "red"}, "/colour"),
        ({"total": 1}, "/total"),
        ({"expected_total": "47.48"}, "/expected_total"),
        ({"expected_total": True}, "/expected_total"),
        ([], ""),
        ("x", ""),
    ):
        answer = alice.post("/orders", body)

        assert answer.status == 422, body
        assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
    assert make.everything() == before


def test_only_somebody_signed_in_orders(make: Make, anyone: Caller) -> None:
    shopper_with_cart(make)
    before = make.everything()

    answer = anyone.post("/orders")

    assert (answer.status, answer.json["code"]) == (401, "unauthenticated")
    assert make.everything() == before


def test_an_order_takes_ones_own_cart_only(make: Make) -> None:
    alice, bob = shopper_with_cart(make), make.customer("bob")
    bob.post("/cart", {"product_id": 1, "quantity": 5})

    order = bob.post("/orders").json["order"]

    assert (order["email"], order["items_count"]) == ("bob@example.com", 5)
    assert alice.get("/cart").json["items_count"] == 3


def test_an_order_of_many_lines_is_exact(make: Make, db: Database) -> None:
    alice = make.customer()
    prices = [1_999 + 7 * number for number in range(59)] + [10**12]
    variants = many_variants(db, prices, stock=100)
    fill_cart(db, alice, {variant_id: number % 9 + 1 for number, variant_id in enumerate(variants)})

    order = alice.post("/orders").json["order"]

    wanted = [number % 9 + 1 for number in range(60)]
    totals = [Decimal(price * quantity) / 100 for price, quantity in zip(prices, wanted, strict=True)]
    assert [item["variant_id"] for item in order["items"]] == variants
    assert [item["quantity"] for item in order["items"]] == wanted
    assert [item["total"] for item in order["items"]] == totals
    assert order["items_count"] == sum(wanted)
    assert order["total"] == order["subtotal"] == sum(totals)
    assert [make.stock_of(variant_id) for variant_id in variants[:3]] == [99, 98, 97]


def test_an_order_is_in_the_carts_currency(make_with: MakeWith) -> None:
    kuwait = make_with(currency="KWD")
    alice, boss = kuwait.customer(), kuwait.staff()
    boss.post("/products", {"name": "Mug", "price": Decimal("1.005"), "stock": 9})
    alice.post("/cart", {"product_id": 1, "quantity": 3})

    answer = alice.post("/orders", {"expected_total": Decimal("3.015")})

    assert (answer.json["order"]["total"], answer.json["order"]["currency"]) == (Decimal("3.015"), "KWD")
    assert b'"tax_total":0.000,' in answer.body


def test_what_was_repriced_in_another_currency_is_not_sold_at_its_bare_number(make: Make, make_with: MakeWith) -> None:
    alice, tokyo = shopper_with_cart(make), make_with(currency="JPY")
    tokyo.staff().patch("/products/1", {"price": 2_500})
    before = make.everything()

    answer = Caller(tokyo.send, alice.token).post("/orders")

    assert (answer.status, answer.json["code"]) == (409, "currency_mismatch")
    assert (answer.json["cart_currency"], answer.json["product_currency"]) == ("USD", "JPY")
    assert make.everything() == before
