"""`GET /orders`, `/orders/history` and `/orders/{id}`: what one has ordered, as it was agreed."""

from decimal import Decimal
from itertools import pairwise

import pytest

from tests.callers import Caller, Make

PATHS = pytest.mark.parametrize("path", ["/orders", "/orders/history"])
NO_ORDERS = ("2", "0", "9223372036854775807", "9223372036854775808", "9" * 5_000)


def place(buyer: Caller, product_id: int, quantity: int = 1) -> int:
    """Order so many of a product; return the order's id."""
    buyer.post("/cart", {"product_id": product_id, "quantity": quantity})
    placed = buyer.post("/orders")
    assert placed.status == 201
    order_id: int = placed.json["order_id"]
    return order_id


@PATHS
def test_nothing_ordered_is_an_empty_list(make: Make, path: str) -> None:
    answer = make.customer().get(path)

    assert answer.status == 200
    assert answer.json == {"orders": [], "pagination": {"next": None, "has_more": False, "limit": 20}}


@PATHS
def test_orders_are_listed_newest_first(make: Make, path: str) -> None:
    alice, mug, bowl = make.customer(), make.product("Mug", price="19.99"), make.product("Bowl", price="7.50")
    first, second = place(alice, mug, 2), place(alice, bowl)

    orders = alice.get(path).json["orders"]

    dates = [order.pop("date") for order in orders]
    assert dates == sorted(dates, reverse=True)
    summary = {
        "status": "placed",
        "payment_status": "none",
        "fulfillment_status": "unfulfilled",
        "return_status": "none",
        "currency": "USD",
    }
    assert orders == [
        {"id": second, "number": f"{1000 + second}", "items_count": 1, "total": Decimal("7.50")} | summary,
        {"id": first, "number": f"{1000 + first}", "items_count": 2, "total": Decimal("39.98")} | summary,
    ]


@PATHS
@pytest.mark.parametrize("limit", [1, 2, 5])
def test_paging_meets_each_order_once_while_new_ones_come(make: Make, path: str, limit: int) -> None:
    alice, mug = make.customer(), make.product(stock=100)
    placed = [place(alice, mug) for _ in range(5)]

    pages = [alice.get(f"{path}?limit={limit}").json]
    place(alice, mug)
    while pages[-1]["pagination"]["has_more"]:
        pages.append(alice.get(f"{path}?limit={limit}&after={pages[-1]['pagination']['next']}").json)

    met = [order["id"] for page in pages for order in page["orders"]]
    assert met == placed[::-1]
    assert all(len(page["orders"]) == limit for page in pages[:-1])


@PATHS
def test_the_link_header_leads_to_the_next_page(make: Make, path: str) -> None:
    alice, mug = make.customer(), make.product()
    placed = [place(alice, mug) for _ in range(2)]

    first = alice.get(f"{path}?limit=1")
    url, relation = first.headers["Link"].split("; ")
    second = alice.get(url.strip("<>"))

    assert relation == 'rel="next"'
    assert f"{path}?limit=1&after=" in url
    assert [order["id"] for order in second.json["orders"]] == [placed[0]]
    assert "Link" not in second.headers


@PATHS
def test_a_bad_limit_or_cursor_is_refused(make: Make, path: str) -> None:
    alice = make.customer()

    for query in ("limit=0", "limit=101", "limit=x", "after=", "after=17", "after=%00", "offset=1"):
        answer = alice.get(f"{path}?{query}")

        assert answer.status == 422, query
        assert [error["pointer"] for error in answer.json["errors"]] == [f"?{query.partition('=')[0]}"]


def test_an_order_is_viewed_as_it_was_answered(make: Make) -> None:
    alice, mug = make.customer(), make.product()
    alice.post("/cart", {"product_id": mug, "quantity": 2})
    placed = alice.post("/orders").json

    viewed = alice.get(f"/orders/{placed['order_id']}")

    assert viewed.status == 200
    assert viewed.json == {"order": placed["order"]}


def test_an_order_keeps_what_was_agreed_when_its_product_changes_or_goes(make: Make) -> None:
    alice, boss, mug, bowl = make.customer(), make.staff(), make.product("Mug"), make.product("Bowl", price="7.50")
    alice.post("/cart", {"product_id": mug, "quantity": 2})
    order_id = place(alice, bowl)
    details, summaries = alice.get(f"/orders/{order_id}").json, alice.get("/orders").json

    boss.patch(f"/products/{mug}", {"name": "Cup", "price": 1, "sku": "CUP", "slug": "cup", "stock": 0})
    boss.delete(f"/products/{bowl}")

    assert alice.get(f"/orders/{order_id}").json == details
    assert alice.get("/orders").json == summaries
    items = [(item["product_name"], item["price"], item["total"]) for item in details["order"]["items"]]
    assert items == [("Mug", Decimal("19.99"), Decimal("39.98")), ("Bowl", Decimal("7.50"), Decimal("7.50"))]


def test_an_order_keeps_its_email_when_the_account_changes(make: Make) -> None:
    alice, mug = make.customer(), make.product()
    order_id = place(alice, mug)

    changed = alice.patch("/account", {"email": "new@example.com"})

    assert changed.status == 200
    assert alice.get(f"/orders/{order_id}").json["order"]["email"] == "alice@example.com"


def test_somebody_elses_order_is_not_found_not_even_by_staff(make: Make) -> None:
    alice, mug = make.customer(), make.product(stock=10)
    order_id = place(alice, mug, 2)
    before = make.everything()

    for caller in (make.customer("bob"), make.staff()):
        before = make.everything()
        answers = [caller.get(f"/orders/{order_id}"), caller.post(f"/orders/{order_id}/cancel")]

        assert [(answer.status, answer.json["msg"]) for answer in answers] == [(404, "Order not found")] * 2
        assert caller.get("/orders").json["orders"] == []
        assert make.everything() == before
    assert make.stock_of(mug) == 8


def test_what_is_no_order_is_not_found(make: Make) -> None:
    alice, mug = make.customer(), make.product()
    assert place(alice, mug) == 1
    before = make.everything()

    for number in NO_ORDERS:
        answers = [alice.get(f"/orders/{number}"), alice.post(f"/orders/{number}/cancel")]

        assert [(answer.status, answer.json["msg"]) for answer in answers] == [(404, "Order not found")] * 2
    assert make.everything() == before


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/orders"), ("GET", "/orders/history"), ("GET", "/orders/1"), ("POST", "/orders/1/cancel")],
)
def test_orders_need_somebody_signed_in(anyone: Caller, method: str, path: str) -> None:
    answer = anyone.call(method, path)

    assert (answer.status, answer.json["code"]) == (401, "unauthenticated")


def test_numbers_are_unique_and_grow_over_all_customers(make: Make) -> None:
    alice, bob, mug = make.customer(), make.customer("bob"), make.product(stock=10)
    for buyer in (alice, bob, alice, bob):
        place(buyer, mug)

    numbers = [int(order["number"]) for caller in (alice, bob) for order in caller.get("/orders").json["orders"]]

    assert all(left < right for left, right in pairwise(sorted(numbers)))
    assert min(numbers) == 1001
