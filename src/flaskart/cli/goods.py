"""Made-up but believable goods: the same number always gives the same product."""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from slugify import slugify

WORDS = Path(__file__).with_name("goods.toml")


@dataclass(frozen=True, slots=True)
class Department:
    """What its goods look like, are made from and are, and what they cost in whole units of money."""

    looks: Sequence[str]
    materials: Sequence[str]
    things: Sequence[str]
    price: tuple[int, int]
    praise: Sequence[str]


@dataclass(frozen=True, slots=True)
class Good:
    """`price_cents` counts hundredths of the currency's major unit."""

    name: str
    slug: str
    description: str
    price_cents: int
    stock: int


def make_goods(count: int) -> Iterator[Good]:
    """Yield `count` goods with distinct names and slugs, the departments in turn."""
    words = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    departments = [Department(**department) for department in words.values()]
    for number in range(count):
        yield _make(number, departments)


def _make(number: int, departments: Sequence[Department]) -> Good:
    department = departments[number % len(departments)]
    looks, materials, things = department.looks, department.materials, department.things
    combinations = len(looks) * len(materials) * len(things)
    series, index = divmod(number // len(departments), combinations)
    # A step without a common divisor visits every combination once, and neighbours differ in all three words.
    index = index * 3_571 % combinations
    look = looks[index % len(looks)]
    material = materials[index // len(looks) % len(materials)]
    thing = things[index // len(looks) // len(materials)]
    name = f"{look} {material} {thing}" + (f" No. {series + 1}" if series else "")
    random = Random(number)  # noqa: S311 - the same catalogue every time, no secret
    price = random.randint(*department.price)
    cents = random.choice((0, 50, 90, 95, 99))
    description = f"{name}. {random.choice(department.praise)}"
    return Good(name, slugify(name), description, price * 100 + cents, random.choice((0, 3, 12, 25, 40, 80, 150)))
