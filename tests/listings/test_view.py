"""`GET /products/{id or slug}`: one product."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from flaskart.catalog.models import Variant
from flaskart.kit.db import Database
from tests.callers import Caller, Make

NO_PRODUCTS = [
    "0",
    "2",
    "-1",
    "1.0",
    "no-such-mug",
    "Mug",
    "MUG",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "9" * 400,
    "%00",
    "mug%00",
    "1%00",
    "%20mug",
    "mug%20",
    "%27%20OR%201=1",
    "%D9%A1",  # the Arabic digit one, which is not the id 1
    "%C2%B9",  # the superscript one
    "%FF",
    "x" * 3_000,
]


def test_a_product_is_viewed_by_its_id_or_its_slug(anyone: Caller, make: Make, db: Database) -> None:
    mug = make.product("Enamel mug", price="19.99", stock=7)
    with db.read() as session:
        variant = session.scalars(select(Variant)).one()

    by_id, by_slug = anyone.get(f"/products/{mug}"), anyone.get("/products/enamel-mug")

    assert by_id.status == by_slug.status == 200
    assert by_id.json == by_slug.json
    product = by_id.json["product"]
    assert product.pop("created_at") == product.pop("updated_at")
    assert product == {
        "id": mug,
        "name": "Enamel mug",
        "slug": "enamel-mug",
        "description": "",
        "price": Decimal("19.99"),
        "currency": "USD",
        "sku": variant.sku,
        "stock": 7,
        "variants": [
            {"id": variant.id, "sku": variant.sku, "price": Decimal("19.99"), "currency": "USD", "stock": 7},
        ],
    }


def test_times_are_rfc_3339_in_utc(anyone: Caller, make: Make) -> None:
    mug = make.product()

    created_at = anyone.get(f"/products/{mug}").json["product"]["created_at"]

    assert created_at.endswith("Z")
    assert timedelta() <= datetime.now(UTC) - datetime.fromisoformat(created_at) < timedelta(minutes=1)


def test_what_is_no_product_is_not_found(anyone: Caller, make: Make) -> None:
    assert make.product("Mug") == 1

    for name in NO_PRODUCTS:
        answer = anyone.get(f"/products/{name}")

        assert answer.status == 404, name
        assert (answer.json["code"], answer.json["msg"]) == ("product_not_found", "Product not found")


@pytest.mark.parametrize("name", ["1984", "12-34", "2"])
def test_a_product_with_a_numeric_name_is_never_taken_for_an_id(anyone: Caller, make: Make, name: str) -> None:
    make.product("Mug")
    book = make.product(name)

    product = anyone.get(f"/products/{book}").json["product"]

    assert product["name"] == name
    assert product["slug"] == f"product-{name}"
    assert anyone.get(f"/products/product-{name}").json["product"] == product
