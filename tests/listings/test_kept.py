"""A page kept in memory is never stale, whoever changed what is on it, and is not read again while nothing has."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Response
from sqlalchemy import text
from werkzeug.test import Client

from flaskart.kit.audit import SYSTEM
from flaskart.kit.db import Database
from flaskart.listings.actions import add_listing
from flaskart.web.kept import MAX_BYTES, KeptAnswers
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
        add_listing(session, SYSTEM, name="Bowl", price_minor=100, currency="USD")
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


def test_only_its_own_tag_is_answered_without_a_body(app: ShopApp, anyone: Caller, make: Make) -> None:
    make.product("Mug")
    tag = anyone.get("/products").headers["ETag"]

    answers = {sent: anyone.get("/products", If_None_Match=sent) for sent in (tag, f'"other", {tag}', "*", '"other"')}

    assert [answer.status for answer in answers.values()] == [304, 304, 304, 200]
    assert {answer.headers["ETag"] for answer in answers.values()} == {tag}
    assert len({answer.headers["Request-Id"] for answer in answers.values()}) == 4
    assert "Content-Length" not in answers[tag].headers


def test_a_kept_answer_has_the_headers_of_a_fresh_one(anyone: Caller, make: Make) -> None:
    make.product("Mug")
    make.product("Bowl")

    fresh, kept = (anyone.get("/products?limit=1") for _ in range(2))

    assert {*kept.headers} == {*fresh.headers}
    assert [kept.headers[name] for name in fresh.headers if name != "Request-Id"] == [
        fresh.headers[name] for name in fresh.headers if name != "Request-Id"
    ]


def test_a_refusal_is_not_kept(app: ShopApp, anyone: Caller) -> None:
    for _ in range(2):
        with counted(app) as sent:
            assert anyone.get("/products/nothing").status == 404
        assert len(sent) == 1


def test_when_the_database_fails_the_app_says_so(app: ShopApp, anyone: Caller, make: Make, db: Database) -> None:
    make.product("Mug")
    anyone.get("/products")
    with db.write() as session:
        session.execute(text("ALTER TABLE catalog_version RENAME TO elsewhere"))

    answer = anyone.get("/products")

    with db.write() as session:
        session.execute(text("ALTER TABLE elsewhere RENAME TO catalog_version"))
    assert (answer.status, answer.json["code"]) == (500, "internal_error")
    assert anyone.get("/products").status == 200


def test_kept_answers_have_a_bound(app: ShopApp, db: Database) -> None:
    def nothing(_environ: object, start_response: Any) -> list[bytes]:
        start_response("404 NOT FOUND", [])
        return []

    def keep(path: str, size: int) -> None:
        response = Response(bytes(size), headers={"ETag": '"tag"'})
        with app.test_request_context(path):
            answers.keep(response, lambda _session: True)

    answers = KeptAnswers(nothing, db)
    for number in range(5):
        keep(f"/{number}", MAX_BYTES // 3 - 10_000)
    keep("/large", MAX_BYTES + 1)

    client = Client(answers)
    assert [client.get(f"/{number}").status_code for number in range(5)] == [404, 404, 200, 200, 200]
    assert client.get("/large").status_code == 404
