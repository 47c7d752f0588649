"""Amounts: exact both ways between major and minor units, nothing rounded, nothing out of bounds."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskart.kit.errors import FieldError, InvalidInput
from flaskart.kit.money import MAX_PRICE_MINOR, exponent, to_major, to_minor

CURRENCIES = st.sampled_from(["USD", "JPY", "KWD"])


@pytest.mark.parametrize(("currency", "decimals"), [("JPY", 0), ("USD", 2), ("EUR", 2), ("KWD", 3), ("CLF", 4)])
def test_a_currency_has_the_decimals_of_iso_4217(currency: str, decimals: int) -> None:
    assert exponent(currency) == decimals


@pytest.mark.parametrize("currency", ["", "usd", "USDT", "ABC", "XAU"])
def test_what_is_no_currency_or_has_no_minor_unit_is_refused(currency: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        exponent(currency)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("0", "USD", 0),
        ("0.00", "USD", 0),
        ("0.01", "USD", 1),
        ("0.1", "USD", 10),
        ("0.10", "USD", 10),
        ("19.99", "USD", 1_999),
        ("19.9900", "USD", 1_999),
        ("1E+3", "USD", 100_000),
        ("500", "JPY", 500),
        ("500.0", "JPY", 500),
        ("1.234", "KWD", 1_234),
        ("1.2", "KWD", 1_200),
        ("10000000000", "USD", 10**12),
        ("1000000000000", "JPY", 10**12),
        ("1000000000", "KWD", 10**12),
    ],
)
def test_an_amount_becomes_its_exact_number_of_minor_units(amount: str, currency: str, minor: int) -> None:
    assert to_minor(Decimal(amount), currency, pointer="/price") == minor


@pytest.mark.parametrize(
    ("amount", "currency", "detail"),
    [
        ("19.999", "USD", "USD has 2 decimals"),
        ("0.001", "USD", "USD has 2 decimals"),
        ("500.5", "JPY", "JPY has 0 decimals"),
        ("1.2345", "KWD", "KWD has 3 decimals"),
        ("1E-9999", "USD", "USD has 2 decimals"),
        ("19.990000000000000000000000000000000001", "USD", "USD has 2 decimals"),
        ("19.989999999999999999999999999999999999", "USD", "USD has 2 decimals"),
    ],
)
def test_an_amount_the_currency_cannot_express_is_refused_not_rounded(amount: str, currency: str, detail: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        to_minor(Decimal(amount), currency, pointer="/price")

    assert refusal.value.errors == (FieldError("/price", detail, "too_many_decimals"),)


@pytest.mark.parametrize(
    ("currency", "highest"), [("USD", "10000000000.00"), ("JPY", "1000000000000"), ("KWD", "1000000000.000")]
)
@pytest.mark.parametrize("amount", ["-0.01", "-1", "-0", "-0.0", "1E+12", "1E+309", "NaN", "sNaN", "Infinity"])
def test_an_amount_out_of_bounds_is_refused_with_the_bounds(currency: str, highest: str, amount: str) -> None:
    above = Decimal(highest) + 1 if amount == "1E+12" else Decimal(amount)

    with pytest.raises(InvalidInput) as refusal:
        to_minor(above, currency, pointer="/price")

    bounds = f"An amount from 0 to {highest} is needed"
    assert refusal.value.errors == (FieldError("/price", bounds, "out_of_range"),)


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [(0, "USD", "0.00"), (10, "USD", "0.10"), (1_999, "USD", "19.99"), (500, "JPY", "500"), (1, "KWD", "0.001")],
)
def test_a_number_of_minor_units_is_shown_with_all_decimals_of_its_currency(
    minor: int, currency: str, shown: str
) -> None:
    assert str(to_major(minor, currency)) == shown


@given(minor=st.integers(0, MAX_PRICE_MINOR), currency=CURRENCIES)
def test_every_price_survives_the_way_to_major_units_and_back(minor: int, currency: str) -> None:
    assert to_minor(to_major(minor, currency), currency, pointer="/price") == minor


@given(minor=st.integers(-(2**63), 2**63 - 1), currency=CURRENCIES)
def test_every_amount_of_64_bits_is_exact_in_major_units(minor: int, currency: str) -> None:
    assert to_major(minor, currency) * 10 ** exponent(currency) == minor
