"""A page kept in memory is never stale, whoever changed what is on it, and is not read again while nothing has."""

from collections.abc import Callable

import pytest
from flask import Response

from flaskart.kit.db import Database
from flaskart.listings.actions import add_listing
from flaskart.web.kept import MAX_BYTES, Kept, KeptAnswers
from flaskart.web.openapi import ShopApp
from tests.callers import Caller, Make
from tests.test_statement_counts import counted


def buy(make: Make, product_id: int) -> None:
    bob = make.customer("bob")
    assert bob.post("/cart", {"product_id": product_id, "quantity": 2}).status == 200
    assert bob.post("/orders").status == 201


CHANGES: dict[str, Callable[[Make, int], object]] = {
    "renamed": lambda make, mug: make.staff().patch(f"/products/{mug}", {"name": "Cup"}),
    "repriced": lambda make, mug: make.staff().patch(f"/products/{mug}", {"price": 5}),
    "given another SKU": lambda make, mug: make.staff().patch(f"/products/{mug}", {"sku": "CUP"}),
    "restocked": lambda make, mug: make.staff().patch(f"/products/{mug}", {"stock": 99}),
    "sold": buy,
    "removed": lambda make, mug: make.staff().delete(f"/products/{mug}"),
    "joined by another one": lambda make, _mug: make.product("Bowl"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_kept_page_shows_every_change(anyone: Caller, make: Make, change: str) -> None:
    make.product("Apron")
    mug = make.product("Mug")
    before = anyone.get("/products")
    assert anyone.get("/products").body == before.body

    CHANGES[change](make, mug)

    after = anyone.get("/products", If_None_Match=before.headers["ETag"])
    assert after.status == 200
    assert after.json != before.json
    assert [product["id"] for product in after.json["products"]] == [
        product for product in (1, 2, 3) if anyone.get(f"/products/{product}").status == 200
    ]
    for product in after.json["products"]:
        assert product == anyone.get(f"/products/{product['id']}").json["product"]


def test_a_page_learns_that_there_is_a_next_one(anyone: Caller, make: Make) -> None:
    make.product("Mug")
    assert anyone.get("/products?limit=1").json["pagination"]["has_more"] is False

    make.product("Bowl")

    page = anyone.get("/products?limit=1")
    assert page.json["pagination"]["has_more"] is True
    assert "Link" in page.headers


def test_an_empty_shop_shows_its_first_product(anyone: Caller, make: Make) -> None:
    assert anyone.get("/products").json["products"] == []

    make.product("Mug")

    assert len(anyone.get("/products").json["products"]) == 1


def test_what_another_process_writes_is_seen(anyone: Caller, make: Make, database_url: str) -> None:
    make.product("Mug")
    anyone.get("/products")

    other = Database(database_url)
    with other.write() as session:
        add_listing(session, name="Bowl", price_minor=100, currency="USD")
    other.close()

    assert [product["name"] for product in anyone.get("/products").json["products"]] == ["Mug", "Bowl"]


def test_a_kept_page_costs_one_statement_and_a_changed_one_two(app: ShopApp, anyone: Caller, make: Make) -> None:
    mug = make.product("Mug")
    first = anyone.get("/products")

    with counted(app) as kept:
        again = anyone.get("/products")
    with counted(app) as known:
        nothing = anyone.get("/products", If_None_Match=first.headers["ETag"])
    buy(make, mug)
    with counted(app) as changed:
        anyone.get("/products")

    assert (len(kept), len(known), len(changed)) == (1, 1, 2)
    assert (again.status, again.body, again.headers["ETag"]) == (200, first.body, first.headers["ETag"])
    assert (nothing.status, nothing.body) == (304, b"")


def test_the_same_page_under_another_name_links_to_that_name(anyone: Caller, make: Make) -> None:
    make.product("Mug")
    make.product("Bowl")

    links = [anyone.get("/products?limit=1", Host=host).headers["Link"] for host in ("a.example", "b.example")]

    assert [link.partition("/products")[0] for link in links] == ["<http://a.example", "<http://b.example"]


def test_kept_answers_have_a_bound() -> None:
    answers = KeptAnswers()
    third = Kept.of(Response(bytes(MAX_BYTES // 3)), (1, 1), [])

    for number in range(5):
        answers.keep(number, third)
    answers.keep("too large", Kept.of(Response(bytes(MAX_BYTES + 1)), (1, 1), []))

    assert [answers.find(number) is not None for number in range(5)] == [False, False, True, True, True]
    assert answers.find("too large") is None
