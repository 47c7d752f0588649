"""`PATCH` and `DELETE /cart/{product_id}`, `DELETE /cart/clear`: changing one's mind."""

from decimal import Decimal

import pytest

from tests.callers import Caller, Make

NO_PRODUCTS_IN_CART = ("2", "99", "0", "9223372036854775807", "9223372036854775808", "9" * 5_000)


def shopper_with_cart(make: Make, *, stock: int = 10) -> Caller:
    """Return somebody with four of product 1 in the cart, beside a product 2 that is not in it."""
    alice, mug, _bowl = make.customer(), make.product("Mug", price="19.99", stock=stock), make.product("Bowl")
    assert alice.post("/cart", {"product_id": mug, "quantity": 4}).status == 200
    return alice


@pytest.mark.parametrize("quantity", [1, 4, 10])
def test_a_quantity_is_set_not_added(make: Make, quantity: int) -> None:
    alice = shopper_with_cart(make)

    answer = alice.patch("/cart/1", {"quantity": quantity})

    assert answer.status == 200
    assert answer.json["msg"] == "Cart updated"
    assert [(line["product_id"], line["quantity"]) for line in answer.json["cart"]] == [(1, quantity)]
    assert answer.json["total"] == quantity * Decimal("19.99")
    assert alice.get("/cart").json | {"msg": "Cart updated"} == answer.json


def test_more_than_the_stock_is_refused_with_what_there_is(make: Make) -> None:
    alice = shopper_with_cart(make, stock=10)
    before = make.everything()

    answer = alice.patch("/cart/1", {"quantity": 11})

    assert (answer.status, answer.json["code"]) == (409, "insufficient_stock")
    assert (answer.json["wanted"], answer.json["available"]) == (11, 10)
    assert make.everything() == before


def test_a_quantity_can_be_lowered_to_what_is_left(make: Make) -> None:
    alice, boss = shopper_with_cart(make), make.staff()
    boss.patch("/products/1", {"stock": 2})

    refused, accepted = [alice.patch("/cart/1", {"quantity": quantity}) for quantity in (3, 2)]

    assert (refused.status, refused.json["available"]) == (409, 2)
    assert [line["is_available"] for line in accepted.json["cart"]] == [True]


def test_what_is_no_quantity_is_refused(make: Make) -> None:
    alice = shopper_with_cart(make)
    before = make.everything()
    quantities = (0, -1, 10_001, 2**63, True, 1.5, "2", None)

    for body in ({}, {"quantity": 1, "product_id": 2}, *({"quantity": quantity} for quantity in quantities)):
        assert alice.patch("/cart/1", body).status == 422, body
    assert make.everything() == before


def test_what_is_not_in_the_cart_is_not_found(make: Make) -> None:
    alice = shopper_with_cart(make)
    before = make.everything()

    for product_id in NO_PRODUCTS_IN_CART:
        answers = [alice.patch(f"/cart/{product_id}", {"quantity": 1}), alice.delete(f"/cart/{product_id}")]

        assert [(answer.status, answer.json["msg"]) for answer in answers] == [(404, "Product not in cart")] * 2
    assert make.everything() == before


def test_nothing_is_in_a_cart_that_there_is_not(make: Make) -> None:
    alice, mug = make.customer(), make.product()
    before = make.everything()

    answers = [alice.patch(f"/cart/{mug}", {"quantity": 1}), alice.delete(f"/cart/{mug}")]

    assert [(answer.status, answer.json["code"]) for answer in answers] == [(404, "not_in_cart")] * 2
    assert make.everything() == before


def test_a_product_is_taken_out_whole_and_alone(make: Make) -> None:
    alice = shopper_with_cart(make)
    alice.post("/cart", {"product_id": 2, "quantity": 2})

    answer = alice.delete("/cart/1")

    assert answer.status == 200
    assert answer.json["msg"] == "Product removed from cart"
    assert [(line["product_id"], line["quantity"]) for line in answer.json["cart"]] == [(2, 2)]
    assert alice.delete("/cart/1").status == 404
    assert alice.delete("/cart/2").json["cart"] == []


def test_an_archived_product_can_be_taken_out(make: Make) -> None:
    alice, bob, boss = shopper_with_cart(make), make.customer("bob"), make.staff()
    bob.post("/cart", {"product_id": 1})
    bob.post("/orders")
    boss.delete("/products/1")

    changed, removed = alice.patch("/cart/1", {"quantity": 1}), alice.delete("/cart/1")

    assert (changed.status, changed.json["msg"]) == (404, "Product not found")
    assert (removed.status, removed.json["cart"]) == (200, [])


def test_clearing_takes_everything_out(make: Make) -> None:
    alice = shopper_with_cart(make)
    alice.post("/cart", {"product_id": 2})

    answer = alice.delete("/cart/clear")

    assert answer.status == 200
    cleared = {"msg": "Cart cleared", "cart": [], "items_count": 0, "subtotal": 0, "total": 0, "currency": "USD"}
    assert answer.json == cleared
    assert alice.get("/cart").json | {"msg": "Cart cleared"} == cleared


def test_clearing_may_be_repeated_and_needs_no_cart(make: Make) -> None:
    alice, bob = shopper_with_cart(make), make.customer("bob")

    answers = [caller.delete("/cart/clear") for caller in (alice, alice, bob)]

    assert [(answer.status, answer.json["cart"]) for answer in answers] == [(200, [])] * 3


def test_a_cleared_cart_can_be_filled_again(make: Make) -> None:
    alice = shopper_with_cart(make)
    alice.delete("/cart/clear")

    answer = alice.post("/cart", {"product_id": 1, "quantity": 2})

    assert [(line["product_id"], line["quantity"]) for line in answer.json["cart"]] == [(1, 2)]


def test_changing_ones_cart_touches_no_other(make: Make) -> None:
    alice, bob = shopper_with_cart(make), make.customer("bob")
    bob.post("/cart", {"product_id": 1, "quantity": 3})
    bob.post("/cart", {"product_id": 2, "quantity": 1})
    before = bob.get("/cart").json

    alice.patch("/cart/1", {"quantity": 9})
    not_hers = [alice.patch("/cart/2", {"quantity": 1}), alice.delete("/cart/2")]
    alice.delete("/cart/1")
    alice.delete("/cart/clear")

    assert [answer.status for answer in not_hers] == [404, 404]
    assert bob.get("/cart").json == before
