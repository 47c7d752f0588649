"""What performance.md asks for, and whether it is so."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure and its limit: the most it may be, or the least if `is_floor`."""

    what: str
    measured: float
    limit: float
    unit: str
    is_floor: bool = False

    @property
    def holds(self) -> bool:
        return self.measured >= self.limit if self.is_floor else self.measured <= self.limit

    @property
    def wording(self) -> str:
        return f"{'at least' if self.is_floor else 'at most'} {shown(self.limit)} {self.unit}".strip()


def shown(number: float) -> str:
    """Write a number with as many digits as it is worth."""
    if number == int(number) or number >= 100:
        return f"{number:,.0f}"
    return f"{number:.2f}" if number < 10 else f"{number:.1f}"
