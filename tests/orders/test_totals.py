"""Totals: the sum of the lines, exactly, in whichever order and however many."""

from hypothesis import given
from hypothesis import strategies as st

from flaskart.cart.models import MAX_LINES, MAX_QUANTITY
from flaskart.kit.money import MAX_PRICE_MINOR, to_major
from flaskart.pricing.totals import Totals, add_up

LINES = st.lists(st.tuples(st.integers(0, MAX_PRICE_MINOR), st.integers(1, MAX_QUANTITY)), max_size=60)


@given(lines=LINES)
def test_a_total_is_the_sum_of_its_lines(lines: list[tuple[int, int]]) -> None:
    totals = add_up(lines)

    assert totals.total_minor == totals.subtotal_minor == sum(price * quantity for price, quantity in lines)
    assert add_up(reversed(lines)) == totals


@given(lines=LINES, currency=st.sampled_from(["USD", "JPY", "KWD"]))
def test_lines_shown_in_major_units_add_up_to_the_shown_total(lines: list[tuple[int, int]], currency: str) -> None:
    shown = sum(to_major(price * quantity, currency) for price, quantity in lines)

    assert shown == to_major(add_up(lines).total_minor, currency)


def test_nothing_costs_nothing() -> None:
    assert add_up([]) == Totals(0)


def test_the_largest_cart_fits_64_bits() -> None:
    assert add_up([(MAX_PRICE_MINOR, MAX_QUANTITY)] * MAX_LINES).total_minor < 2**63
