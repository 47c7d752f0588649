"""A cart that is ordered twice, or changed while it is ordered: one order, and everything in exactly one place."""

from collections import Counter
from dataclasses import dataclass

from tests.callers import Caller, Make
from tests.races.conftest import MakeWithout
from tests.races.crowd import at_once, is_postgresql, quantities, until_broken

ADDITIONS = 7


@dataclass(frozen=True)
class Outcome:
    """What became of a cart that was ordered many times at once."""

    orders: int
    answers: Counter[tuple[int, str]]
    left_in_cart: int


def ordered_once(clients: int) -> Outcome:
    answers = Counter({(201, "Order placed successfully"): 1, (400, "Cart is empty"): clients - 1})
    return Outcome(orders=1, answers=answers, left_in_cart=0)


def order_at_once(buyer: Caller, product_id: int, clients: int) -> Outcome:
    buyer.delete("/cart/clear")
    buyer.post("/cart", {"product_id": product_id, "quantity": 2})
    newest = newest_order_id(buyer)
    answers = at_once([lambda: buyer.post("/orders")] * clients)
    return Outcome(
        orders=sum(order["id"] > newest for order in buyer.get("/orders").json["orders"]),
        answers=Counter((answer.status, answer.json["msg"]) for answer in answers),
        left_in_cart=buyer.get("/cart").json["items_count"],
    )


def newest_order_id(buyer: Caller) -> int:
    return max((order["id"] for order in buyer.get("/orders?limit=1").json["orders"]), default=0)


def order_while_adding(buyer: Caller, mug: int, bowl: int) -> tuple[Counter[int], Counter[int]]:
    """Order a cart with a mug while another mug and bowls are added; return the statuses, and what is where."""
    buyer.delete("/cart/clear")
    buyer.post("/cart", {"product_id": mug})
    additions = [lambda: buyer.post("/cart", {"product_id": bowl})] * (ADDITIONS - 1)
    placed, *added = at_once(
        [lambda: buyer.post("/orders"), lambda: buyer.post("/cart", {"product_id": mug}), *additions]
    )
    ordered = quantities(placed.json["order"]["items"]) if placed.status == 201 else Counter[int]()
    statuses = Counter(answer.status for answer in (placed, *added))
    return statuses, ordered + quantities(buyer.get("/cart").json["cart"])


def test_a_cart_becomes_one_order(make_over_http: Make, is_soak: bool) -> None:
    alice, mug = make_over_http.customer(), make_over_http.product(stock=1_000)

    for _ in range(200 if is_soak else 10):
        for clients in (2, 8):
            assert order_at_once(alice, mug, clients) == ordered_once(clients)


def test_what_is_added_while_ordering_is_in_the_order_or_the_next_cart(make_over_http: Make, is_soak: bool) -> None:
    make = make_over_http
    alice, mug, bowl = make.customer(), make.product("Mug", stock=1_000), make.product("Bowl", stock=10_000)

    for _ in range(200 if is_soak else 10):
        statuses, where = order_while_adding(alice, mug, bowl)

        assert statuses == {201: 1, 200: ADDITIONS}
        assert where == {mug: 2, bowl: ADDITIONS - 1}


def test_a_cart_closed_at_the_end_is_ordered_twice_and_loses_things_on_postgresql(make_without: MakeWithout) -> None:
    make = make_without("completion", constraint=("order", "uq_order_cart_id"))
    alice, mug, bowl = make.customer(), make.product("Mug", stock=1_000), make.product("Bowl", stock=10_000)

    def is_ordered_twice(_number: int) -> bool:
        return order_at_once(alice, mug, clients=8).orders > 1

    def loses_additions(_number: int) -> bool:
        statuses, where = order_while_adding(alice, mug, bowl)
        assert statuses == {201: 1, 200: ADDITIONS}
        return where.total() < 1 + ADDITIONS

    assert until_broken(make.db, is_ordered_twice) == is_postgresql(make.db)
    assert until_broken(make.db, loses_additions) == is_postgresql(make.db)
