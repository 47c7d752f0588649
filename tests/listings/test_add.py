"""`POST /products`: what staff add is what shoppers find."""

import re
from decimal import Decimal

import pytest

from tests.callers import Caller, Make


def test_an_added_product_is_answered_and_found(make: Make, anyone: Caller) -> None:
    boss = make.staff()
    mug = {
        "name": "Enamel mug",
        "price": Decimal("19.99"),
        "description": "Holds tea.\nOr coffee.",
        "stock": 7,
        "slug": "blue-mug",
        "sku": "MUG-1",
    }

    answer = boss.post("/products", mug)

    assert answer.status == 201
    assert answer.json["msg"] == "Product added"
    product = answer.json["product"]
    assert answer.json["product_id"] == product["id"] == 1
    assert {name: product[name] for name in mug} == mug
    assert product["currency"] == "USD"
    assert [variant | {"id": 0} for variant in product["variants"]] == [
        {"id": 0, "sku": "MUG-1", "price": Decimal("19.99"), "currency": "USD", "stock": 7}
    ]
    assert anyone.get("/products/1").json["product"] == product


def test_a_name_and_a_price_are_enough(make: Make) -> None:
    boss = make.staff()

    product = boss.post("/products", {"name": "Enamel mug", "price": 20}).json["product"]

    assert product["description"] == ""
    assert product["stock"] == 0
    assert product["slug"] == "enamel-mug"
    assert re.fullmatch(r"SKU-[0-9A-Z]{10}", product["sku"])


def test_a_slug_is_made_of_the_name(make: Make) -> None:
    boss = make.staff()
    slugs = {
        "Enamel mug": "enamel-mug",
        "  Copper   MUG!  ": "copper-mug",
        "Crème brûlée": "creme-brulee",
        "1984": "product-1984",
        "1-2 3": "product-1-2-3",
        "!?": "product",
        "x" * 200: "x" * 192,
    }

    made = {name: boss.post("/products", {"name": name, "price": 1}).json["product"]["slug"] for name in slugs}

    assert made == slugs


def test_a_made_up_slug_that_is_taken_gets_a_suffix(make: Make, anyone: Caller) -> None:
    boss = make.staff()

    slugs = [boss.post("/products", {"name": "Mug", "price": 1}).json["product"]["slug"] for _ in range(3)]

    assert slugs[0] == "mug"
    assert all(re.fullmatch(r"mug-[0-9a-z]{6}", slug) for slug in slugs[1:])
    assert [anyone.get(f"/products/{slug}").json["product"]["id"] for slug in slugs] == [1, 2, 3]


@pytest.mark.parametrize(
    ("member", "value", "code", "msg"),
    [
        ("slug", "blue-mug", "slug_taken", "Another product has this slug"),
        ("sku", "MUG-1", "sku_taken", "Another variant has this SKU"),
    ],
)
def test_a_given_name_that_is_taken_is_refused(make: Make, member: str, value: str, code: str, msg: str) -> None:
    boss = make.staff()
    boss.post("/products", {"name": "Mug", "price": 1, member: value})
    before = make.everything()

    answer = boss.post("/products", {"name": "Bowl", "price": 2, "stock": 3, member: value})

    assert answer.status == 409
    assert (answer.json["code"], answer.json["msg"]) == (code, msg)
    assert answer.json["errors"] == [{"pointer": f"/{member}", "detail": msg, "code": code}]
    assert make.everything() == before


@pytest.mark.parametrize(
    ("body", "missing"),
    [({}, ["/name", "/price"]), ({"name": "Mug"}, ["/price"]), ({"price": 1, "stock": 3}, ["/name"])],
)
def test_each_missing_member_is_named(make: Make, body: object, missing: list[str]) -> None:
    boss = make.staff()
    before = make.everything()

    answer = boss.post("/products", body)

    assert answer.status == 422
    assert answer.json["code"] == "invalid_input"
    assert [(error["pointer"], error["code"]) for error in answer.json["errors"]] == [(m, "missing") for m in missing]
    assert make.everything() == before


def test_an_empty_body_names_each_missing_member(make: Make) -> None:
    boss = make.staff()

    answer = boss.post("/products")

    assert answer.status == 422
    assert [error["pointer"] for error in answer.json["errors"]] == ["/name", "/price"]


def test_all_bad_members_are_named_at_once(make: Make) -> None:
    boss = make.staff()

    answer = boss.post("/products", {"name": "", "price": "1", "stock": -1, "slug": "A b", "sku": 5, "colour": "red"})

    assert answer.status == 422
    pointers = [error["pointer"] for error in answer.json["errors"]]
    assert sorted(pointers) == ["/colour", "/name", "/price", "/sku", "/slug", "/stock"]


@pytest.mark.parametrize(
    ("member", "values"),
    [
        ("name", ["", "   ", "x" * 201, "two\nlines", "nul\0", 5, None]),
        ("description", ["nul\0", "x" * 20_001, None]),
        ("stock", [-1, 1_000_000_001, 2**63, 2**64, 1.5, Decimal("2.0"), "2", True, None]),
        ("slug", ["", "123", "Mug", "mug-", "mug--blue", "mug\n", "crème", "x" * 201]),
        ("sku", ["", " ", "x" * 65, "a\tb"]),
    ],
)
def test_a_bad_member_is_refused(make: Make, member: str, values: list[object]) -> None:
    boss = make.staff()
    before = make.everything()

    for value in values:
        answer = boss.post("/products", {"name": "Mug", "price": 1, member: value})

        assert answer.status == 422, value
        assert [error["pointer"] for error in answer.json["errors"]] == [f"/{member}"], value
    assert make.everything() == before


def test_a_body_that_is_no_object_is_refused(make: Make) -> None:
    boss = make.staff()
    before = make.everything()

    for body in (b"[]", b'"mug"', b"null", b"5", b'[{"name": "Mug", "price": 1}]'):
        assert boss.call_raw("POST", "/products", body, Content_Type="application/json").status == 422, body
    assert make.everything() == before


def test_only_staff_add_products(make: Make) -> None:
    alice, nobody = make.customer(), make.anyone()
    before = make.everything()

    refused = [caller.post("/products", {"name": "Mug", "price": 1}) for caller in (alice, nobody)]

    assert [(answer.status, answer.json["code"]) for answer in refused] == [
        (403, "forbidden"),
        (401, "unauthenticated"),
    ]
    assert make.everything() == before


def test_who_may_not_add_a_product_does_not_learn_what_is_wrong_with_it(make: Make) -> None:
    alice = make.customer()

    assert alice.post("/products", {"price": "free"}).json["code"] == "forbidden"
