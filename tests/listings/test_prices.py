"""Prices: exact, within bounds, in the shop's currency, with no more decimals than it has."""

import re
from decimal import Decimal

import pytest

from tests.callers import Answer, Caller, Make, MakeWith

KEPT = {
    "0": "0.00",
    "-0": "0.00",
    "0.00": "0.00",
    "0.01": "0.01",
    "0.1": "0.10",
    "0.10": "0.10",
    "0.29": "0.29",
    "1.15": "1.15",
    "19.99": "19.99",
    "19.990": "19.99",
    "1999e-2": "19.99",
    "20": "20.00",
    "2e1": "20.00",
    "9007199254.99": "9007199254.99",
    "10000000000": "10000000000.00",
}
REFUSED = {
    "-1": "out_of_range",
    "-0.01": "out_of_range",
    "-0.0": "out_of_range",
    "10000000000.01": "out_of_range",
    "9223372036854775808": "out_of_range",
    "18446744073709551616": "out_of_range",
    "1e309": "out_of_range",
    "-1e309": "out_of_range",
    "19.999": "too_many_decimals",
    "0.001": "too_many_decimals",
    "1e-400": "too_many_decimals",
    "19.9900000000000000000000000000000001": "too_many_decimals",
    "true": "number_type",
    "false": "number_type",
    '"19.99"': "number_type",
    '""': "number_type",
    "null": "number_type",
    "[1]": "number_type",
    "{}": "number_type",
}


def add(caller: Caller, price: str) -> Answer:
    """Add a product with a price written as `price` in the JSON."""
    body = f'{{"name": "Mug", "price": {price}}}'
    return caller.call_raw("POST", "/products", body.encode(), Content_Type="application/json")


def shown_price(answer: Answer) -> str:
    """Return the price as it is written in the JSON, digit by digit."""
    assert answer.status == 201, answer.body
    (price,) = re.findall(r'"description":"","price":([^,]+),', answer.body.decode())
    return str(price)


def test_a_price_is_kept_and_shown_exactly(make: Make) -> None:
    boss = make.staff()

    added = {sent: add(boss, sent) for sent in KEPT}

    assert {sent: shown_price(answer) for sent, answer in added.items()} == KEPT
    listed = re.findall(r'"sku":"[^"]+","price":([^,]+),', boss.get("/products").body.decode())
    assert listed == list(KEPT.values())


def test_what_is_no_price_is_refused(make: Make) -> None:
    boss = make.staff()
    before = make.everything()

    answers = {sent: add(boss, sent) for sent in REFUSED}

    assert {answer.status for answer in answers.values()} == {422}
    assert {sent: answer.json["errors"][0]["code"] for sent, answer in answers.items()} == REFUSED
    assert {answer.json["errors"][0]["pointer"] for answer in answers.values()} == {"/price"}
    assert make.everything() == before


def test_what_is_no_number_of_json_is_refused(make: Make) -> None:
    boss = make.staff()
    before = make.everything()

    answers = [add(boss, sent) for sent in ("NaN", "Infinity", "1.", ".5", "01", "1e99999999999999999999", "9" * 5_000)]

    assert [(answer.status, answer.json["code"]) for answer in answers] == [(400, "malformed_json")] * 7
    assert make.everything() == before


@pytest.mark.parametrize(
    ("currency", "kept"),
    [
        ("JPY", {"500": "500", "500.0": "500", "1000000000000": "1000000000000"}),
        ("KWD", {"1.234": "1.234", "1.5": "1.500", "1000000000": "1000000000.000"}),
    ],
)
def test_a_price_has_the_decimals_of_the_shops_currency(
    make_with: MakeWith, currency: str, kept: dict[str, str]
) -> None:
    boss = make_with(currency=currency).staff()

    answers = {sent: add(boss, sent) for sent in kept}

    assert {sent: shown_price(answer) for sent, answer in answers.items()} == kept
    assert {product["currency"] for product in boss.get("/products").json["products"]} == {currency}


@pytest.mark.parametrize(
    ("currency", "refused"),
    [
        ("JPY", {"500.5": "too_many_decimals", "0.01": "too_many_decimals", "1000000000001": "out_of_range"}),
        ("KWD", {"1.2345": "too_many_decimals", "1000000000.001": "out_of_range"}),
    ],
)
def test_a_price_the_currency_cannot_express_is_refused(
    make_with: MakeWith, currency: str, refused: dict[str, str]
) -> None:
    make = make_with(currency=currency)
    boss = make.staff()
    before = make.everything()

    answers = {sent: add(boss, sent) for sent in refused}

    assert {sent: answer.json["errors"][0]["code"] for sent, answer in answers.items()} == refused
    assert make.everything() == before


def test_a_price_keeps_its_currency_when_the_shops_changes(make: Make, make_with: MakeWith) -> None:
    mug = make.product("Mug", price="19.99")
    boss = make_with(currency="JPY").staff()

    product = boss.get(f"/products/{mug}").json["product"]
    renamed = boss.patch(f"/products/{mug}", {"name": "Cup"}).json["product"]

    assert (product["price"], product["currency"]) == (Decimal("19.99"), "USD")
    assert (renamed["price"], renamed["currency"]) == (Decimal("19.99"), "USD")


def test_a_new_price_is_in_the_shops_currency(make: Make, make_with: MakeWith) -> None:
    mug = make.product("Mug", price="19.99")
    boss = make_with(currency="JPY").staff()

    product = boss.patch(f"/products/{mug}", {"price": 500}).json["product"]

    assert (product["price"], product["currency"]) == (500, "JPY")
    assert [(v["price"], v["currency"]) for v in product["variants"]] == [(500, "JPY")]
