"""`GET /products`: the shop's shelf, page by page."""

import re
from collections.abc import Callable
from itertools import pairwise

import pytest

from flaskart.kit.paging import MAX_ID, encode_cursor
from tests.callers import Answer, Caller, Make


def by_pagination(page: Answer) -> str | None:
    """Return the path of the next page as `pagination.next` tells it."""
    pagination = page.json["pagination"]
    assert pagination["has_more"] is (pagination["next"] is not None)
    return f"/products?limit={pagination['limit']}&after={pagination['next']}" if pagination["has_more"] else None


def by_link(page: Answer) -> str | None:
    """Return the URL of the next page as the `Link` header tells it."""
    found = re.fullmatch(r'<([^>]+)>; rel="next"', page.headers.get("Link", ""))
    return found and found[1]


def ids(page: Answer) -> list[int]:
    return [product["id"] for product in page.json["products"]]


def test_a_shop_without_products_lists_none(anyone: Caller) -> None:
    answer = anyone.get("/products")

    assert answer.status == 200
    assert answer.json == {"products": [], "pagination": {"next": None, "has_more": False, "limit": 20}}
    assert "Link" not in answer.headers


def test_products_are_listed_in_the_order_they_were_added(anyone: Caller, make: Make) -> None:
    added = [make.product(name) for name in ("Mug", "Bowl", "Apron")]

    answer = anyone.get("/products")

    assert ids(answer) == added
    assert [product["name"] for product in answer.json["products"]] == ["Mug", "Bowl", "Apron"]
    assert answer.json["pagination"] == {"next": None, "has_more": False, "limit": 20}


def test_a_product_is_listed_as_it_is_viewed(anyone: Caller, make: Make) -> None:
    mug = make.product("Enamel mug", price="19.99", stock=7)

    listed = anyone.get("/products").json["products"]

    assert listed == [anyone.get(f"/products/{mug}").json["product"]]


@pytest.mark.parametrize("limit", [1, 3, 100])
@pytest.mark.parametrize("next_of", [by_pagination, by_link])
def test_paging_meets_each_product_once(
    anyone: Caller, make: Make, limit: int, next_of: Callable[[Answer], str | None]
) -> None:
    added = [make.product(f"Mug {number}") for number in range(6)]

    pages = [anyone.get(f"/products?limit={limit}")]
    while path := next_of(pages[-1]):
        pages.append(anyone.get(path))

    assert [id_ for page in pages for id_ in ids(page)] == added
    assert [len(ids(page)) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert all(page.json["pagination"]["limit"] == limit for page in pages)
    assert all(max(ids(left)) < min(ids(right)) for left, right in pairwise(pages))


@pytest.mark.parametrize("next_of", [by_pagination, by_link])
def test_paging_meets_each_product_once_while_others_come_and_go(
    anyone: Caller, make: Make, next_of: Callable[[Answer], str | None]
) -> None:
    boss = make.staff()
    mugs = [make.product(f"Mug {number}") for number in range(7)]

    pages = [anyone.get("/products?limit=2")]
    for gone in (mugs[0], mugs[1], mugs[3]):  # met before, the cursor's own, and one not met yet
        assert boss.delete(f"/products/{gone}").status == 200
    added = make.product("Bowl")
    while path := next_of(pages[-1]):
        pages.append(anyone.get(path))

    met = [id_ for page in pages for id_ in ids(page)]
    assert met == [mugs[0], mugs[1], mugs[2], mugs[4], mugs[5], mugs[6], added]


def test_a_last_page_that_is_full_has_no_next_one(anyone: Caller, make: Make) -> None:
    for number in range(4):
        make.product(f"Mug {number}")
    first = anyone.get("/products?limit=2")

    last = anyone.get(by_link(first) or "")

    assert len(ids(last)) == 2
    assert last.json["pagination"] == {"next": None, "has_more": False, "limit": 2}
    assert "Link" not in last.headers


def test_a_cursor_past_the_end_gives_an_empty_page(anyone: Caller, make: Make) -> None:
    make.product()

    answer = anyone.get(f"/products?after={encode_cursor(MAX_ID)}")

    assert answer.json == {"products": [], "pagination": {"next": None, "has_more": False, "limit": 20}}


def test_a_limit_out_of_bounds_is_refused(anyone: Caller) -> None:
    for limit in ("0", "-1", "101", "9223372036854775808", "abc", "1.5", "", "NaN"):
        answer = anyone.get(f"/products?limit={limit}")

        assert (answer.status, answer.json["code"]) == (422, "invalid_input"), limit
        assert [error["pointer"] for error in answer.json["errors"]] == ["?limit"]


def test_a_bad_cursor_is_refused(anyone: Caller, make: Make) -> None:
    make.product()

    for cursor in ("", "0", "17", "nonsense", "%00", "%C3%A9", "MTc%3D", "LTE", "x" * 65):
        answer = anyone.get(f"/products?after={cursor}")

        assert answer.status == 422, cursor
        assert [error["pointer"] for error in answer.json["errors"]] == ["?after"]


def test_an_unknown_query_parameter_is_refused(anyone: Caller) -> None:
    answer = anyone.get("/products?offset=20")

    assert answer.status == 422
    assert answer.json["errors"] == [
        {"pointer": "?offset", "detail": "This operation has no such parameter", "code": "extra_forbidden"}
    ]
