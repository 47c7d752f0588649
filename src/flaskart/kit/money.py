"""Money: integers in minor units, with the currency's exponent of ISO 4217."""

from decimal import Decimal
from functools import cache

from iso4217 import Currency

from flaskart.kit.errors import FieldError, InvalidInput

# One line of 10,000 pieces at this price, 500 times, still fits a signed 64-bit integer.
MAX_PRICE_MINOR = 10**12


@cache
def exponent(currency: str) -> int:
    """Return how many decimals `currency` has by ISO 4217: JPY 0, USD 2, KWD 3.

    Raises:
        ValueError: no such currency, or one without minor units (gold, for example).
    """
    decimals = Currency(currency).exponent
    if decimals is None:
        raise ValueError(f"{currency} has no minor unit")
    return int(decimals)


def to_minor(amount: Decimal, currency: str, *, pointer: str) -> int:
    """Convert an amount in major units, refusing what the currency cannot express; nothing is rounded.

    Raises:
        InvalidInput: negative, too large, or with more decimals than the currency has; `pointer` names the field.
    """
    decimals = exponent(currency)
    if not amount.is_finite() or amount.is_signed() or amount > MAX_PRICE_MINOR:
        raise _refuse(pointer, f"An amount from 0 to {to_major(MAX_PRICE_MINOR, currency)} is needed", "out_of_range")
    minor = int(amount.scaleb(decimals))
    if to_major(minor, currency) != amount:  # compared in full; scaleb keeps no more than 28 digits
        raise _refuse(pointer, f"{currency} has {decimals} decimals", "too_many_decimals")
    if minor > MAX_PRICE_MINOR:
        raise _refuse(pointer, f"An amount from 0 to {to_major(MAX_PRICE_MINOR, currency)} is needed", "out_of_range")
    return minor


def to_major(minor: int, currency: str) -> Decimal:
    """Return the exact amount in major units, with as many decimals as the currency has."""
    return Decimal(minor).scaleb(-exponent(currency))


def _refuse(pointer: str, detail: str, code: str) -> InvalidInput:
    return InvalidInput(errors=(FieldError(pointer, detail, code),))
