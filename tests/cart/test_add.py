"""`POST /cart`: as much as the shop has, and no more."""

from collections.abc import Mapping
from decimal import Decimal

import pytest
from sqlalchemy import select

from flaskart.cart.models import Cart, CartLine
from flaskart.kit.db import Database
from tests.callers import Answer, Caller, Make, MakeWith
from tests.cart.bulk import fill_cart, many_variants


def quantities(answer: Answer) -> Mapping[int, int]:
    return {line["product_id"]: line["quantity"] for line in answer.json["cart"]}


@pytest.mark.parametrize("name", ["product_id", "variant_id", "sku"])
def test_a_product_is_added_by_any_of_its_names(make: Make, name: str) -> None:
    alice, mug = make.customer(), make.product("Mug", price="19.99")
    (variant,) = alice.get(f"/products/{mug}").json["product"]["variants"]
    names = {"product_id": mug, "variant_id": variant["id"], "sku": variant["sku"]}

    answer = alice.post("/cart", {name: names[name], "quantity": 2})

    assert answer.status == 200
    assert answer.json["msg"] == "Product added to cart"
    assert quantities(answer) == {mug: 2}
    assert answer.json["total"] == Decimal("39.98")
    assert answer.json == alice.get("/cart").json | {"msg": "Product added to cart"}


def test_one_piece_is_added_when_no_quantity_is_given(make: Make) -> None:
    alice, mug = make.customer(), make.product()

    assert quantities(alice.post("/cart", {"product_id": mug})) == {mug: 1}


def test_the_same_product_again_adds_up_in_one_line(make: Make) -> None:
    alice, mug, bowl = make.customer(), make.product("Mug", stock=10), make.product("Bowl")
    sku = alice.get(f"/products/{mug}").json["product"]["sku"]

    for item in ({"product_id": mug, "quantity": 4}, {"product_id": bowl}, {"sku": sku, "quantity": 5}):
        assert alice.post("/cart", item).status == 200
    answer = alice.post("/cart", {"variant_id": mug})

    assert list(quantities(answer).items()) == [(mug, 10), (bowl, 1)]


def test_adding_takes_no_stock(make: Make) -> None:
    alice, bob, mug = make.customer(), make.customer("bob"), make.product(stock=3)

    answers = [shopper.post("/cart", {"product_id": mug, "quantity": 3}) for shopper in (alice, bob)]

    assert [answer.status for answer in answers] == [200, 200]
    assert make.stock_of(mug) == 3


@pytest.mark.parametrize(("in_cart", "more", "wanted"), [(0, 4, 4), (3, 1, 4), (2, 2, 4), (1, 10_000, 10_001)])
def test_more_than_the_stock_is_refused_with_what_there_is(make: Make, in_cart: int, more: int, wanted: int) -> None:
    alice, mug = make.customer(), make.product(stock=3)
    if in_cart:
        alice.post("/cart", {"product_id": mug, "quantity": in_cart})
    before = make.everything()

    answer = alice.post("/cart", {"product_id": mug, "quantity": more})

    assert answer.status == 409
    assert (answer.json["code"], answer.json["msg"]) == ("insufficient_stock", "Only 3 available")
    assert (answer.json["wanted"], answer.json["available"], answer.json["variant_id"]) == (wanted, 3, mug)
    assert make.everything() == before


def test_a_line_holds_ten_thousand_pieces_at_most(make: Make) -> None:
    alice, mug = make.customer(), make.product(stock=1_000_000)
    alice.post("/cart", {"product_id": mug, "quantity": 9_999})

    refused = alice.post("/cart", {"product_id": mug, "quantity": 2})
    accepted = alice.post("/cart", {"product_id": mug, "quantity": 1})

    assert (refused.status, refused.json["available"]) == (409, 10_000)
    assert quantities(accepted) == {mug: 10_000}


def test_exactly_one_name_is_needed(make: Make) -> None:
    alice, _ = make.customer(), make.product()
    before = make.everything()
    all_names = {"product_id": 1, "variant_id": 1, "sku": "A"}

    for names in ((), ("product_id", "variant_id"), ("variant_id", "sku"), ("product_id", "sku"), tuple(all_names)):
        answer = alice.post("/cart", {"quantity": 1} | {name: all_names[name] for name in names})

        assert answer.status == 422, names
        detail = "Give exactly one of product_id, variant_id and sku"
        assert answer.json["errors"] == [{"pointer": "", "detail": detail, "code": "cart_item"}]
    assert make.everything() == before


def test_what_is_no_quantity_is_refused(make: Make) -> None:
    alice, mug = make.customer(), make.product(stock=1_000_000)
    before = make.everything()

    refused: list[object] = [0, -1, 10_001, 2**63, 2**64, True, False, 1.5, Decimal("2.0"), "2", "", None, []]
    for quantity in refused:
        answer = alice.post("/cart", {"product_id": mug, "quantity": quantity})

        assert answer.status == 422, quantity
        assert [error["pointer"] for error in answer.json["errors"]] == ["/quantity"], quantity
    assert make.everything() == before


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("product_id", [0, -1, 2**63, True, "1", 1.0]),
        ("variant_id", [0, -1, 2**63, True, "1", 1.0]),
        ("sku", ["", "x" * 65, "nul\0", 5]),
        ("colour", ["red"]),
    ],
)
def test_what_is_no_name_is_refused(make: Make, name: str, values: list[object]) -> None:
    alice, _ = make.customer(), make.product()
    before = make.everything()

    for value in values:
        answer = alice.post("/cart", {name: value})

        assert answer.status == 422, value
        assert f"/{name}" in [error["pointer"] for error in answer.json["errors"]], value
    assert make.everything() == before


def test_an_unknown_product_is_not_found(make: Make) -> None:
    alice, _ = make.customer(), make.product()
    before = make.everything()

    for item in ({"product_id": 99}, {"product_id": 2**63 - 1}, {"variant_id": 99}, {"sku": "NONE"}, {"sku": "1"}):
        answer = alice.post("/cart", item)

        assert (answer.status, answer.json["msg"]) == (404, "Product not found")
    assert make.everything() == before


@pytest.mark.parametrize("name", ["product_id", "variant_id", "sku"])
def test_an_archived_product_is_not_found(make: Make, name: str) -> None:
    boss, alice, mug = make.staff(), make.customer(), make.product()
    names = {"product_id": mug, "variant_id": mug, "sku": alice.get(f"/products/{mug}").json["product"]["sku"]}
    alice.post("/cart", {"product_id": mug})
    alice.post("/orders")
    boss.delete(f"/products/{mug}")
    before = make.everything()

    answer = alice.post("/cart", {name: names[name]})

    assert (answer.status, answer.json["msg"]) == (404, "Product not found")
    assert make.everything() == before


def test_one_more_than_five_hundred_different_products_is_refused(make: Make, db: Database) -> None:
    alice = make.customer()
    *first, last = many_variants(db, [100] * 501)
    fill_cart(db, alice, dict.fromkeys(first, 1))
    before = make.everything()

    refused = alice.post("/cart", {"variant_id": last})

    assert refused.status == 409
    assert (refused.json["code"], refused.json["max_lines"]) == ("cart_full", 500)
    assert make.everything() == before
    assert alice.post("/cart", {"variant_id": first[0]}).status == 200  # more of what is there already still goes
    assert alice.get("/cart").json["total"] == Decimal("501.00")


def test_a_product_in_another_currency_than_the_carts_is_refused(make: Make, make_with: MakeWith) -> None:
    alice, mug = make.customer(), make.product("Mug")
    alice.post("/cart", {"product_id": mug})
    tokyo = make_with(currency="JPY")
    bowl = tokyo.staff().post("/products", {"name": "Bowl", "price": 500, "stock": 5}).json["product_id"]
    before = make.everything()

    answer = Caller(tokyo.send, alice.token).post("/cart", {"product_id": bowl})

    assert answer.status == 409
    assert answer.json["code"] == "currency_mismatch"
    assert (answer.json["cart_currency"], answer.json["product_currency"]) == ("USD", "JPY")
    assert make.everything() == before


def test_an_emptied_cart_takes_the_currency_of_what_is_added_next(
    make: Make, make_with: MakeWith, db: Database
) -> None:
    alice, mug = make.customer(), make.product("Mug")
    alice.post("/cart", {"product_id": mug})
    alice.delete("/cart/clear")
    tokyo = make_with(currency="JPY")
    bowl = tokyo.staff().post("/products", {"name": "Bowl", "price": 500, "stock": 5}).json["product_id"]

    answer = Caller(tokyo.send, alice.token).post("/cart", {"product_id": bowl, "quantity": 2})

    assert answer.status == 200
    assert (answer.json["total"], answer.json["currency"]) == (1_000, "JPY")
    with db.read() as session:
        assert session.scalars(select(Cart.currency)).all() == ["JPY"]


def test_adding_to_ones_cart_touches_no_other(make: Make, db: Database) -> None:
    alice, bob, mug = make.customer(), make.customer("bob"), make.product()
    bob.post("/cart", {"product_id": mug, "quantity": 4})
    before = bob.get("/cart").json

    alice.post("/cart", {"product_id": mug, "quantity": 2})

    assert bob.get("/cart").json == before
    with db.read() as session:
        lines = session.execute(select(Cart.customer_id, CartLine.quantity).join(CartLine).order_by(Cart.id)).all()
    assert lines == [(bob.customer_id, 4), (alice.customer_id, 2)]
