"""Totals of a cart or an order, in minor units of one currency."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Totals:
    """Parts that add up: `total` is their sum."""

    subtotal_minor: int

    @property
    def total_minor(self) -> int:
        return self.subtotal_minor


def add_up(lines: Iterable[tuple[int, int]]) -> Totals:
    """Add up lines of (unit price in minor units, quantity)."""
    return Totals(sum(unit_price_minor * quantity for unit_price_minor, quantity in lines))
