"""Many buyers, one item, real HTTP, two server processes: exactly what there is gets sold."""

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from sqlalchemy import func, select

from flaskart.kit.db import Database
from flaskart.orders.models import OrderLine
from tests.callers import Answer, Caller, Make
from tests.races.conftest import MakeWithout
from tests.races.crowd import is_postgresql

BUYERS = 32
UNITS = 300
MAX_TURNS = 400


@dataclass
class Outcome:
    """What the buyers of a race were told."""

    bought: int = 0
    refused_although_enough_was_left: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)


def buy_until_sold_out(buyer: Caller, product_id: int, seed: int) -> Outcome:
    """Order one to three pieces again and again, and what is left at the end."""
    outcome, choice = Outcome(), random.Random(seed)
    for _ in range(MAX_TURNS):
        wanted = choice.randint(1, 3)
        answer = buyer.post("/cart", {"product_id": product_id, "quantity": wanted})
        if answer.status == 200:
            answer = buyer.post("/orders")
        if answer.status == 201:
            outcome.bought += wanted
            continue
        if answer.status != 409:
            outcome.unexpected.append(f"{answer.status} {answer.body!r}")
            return outcome
        buyer.delete("/cart/clear")
        if judge_refusal(answer, outcome) == 0:
            return outcome
    outcome.unexpected.append("never sold out")
    return outcome


def judge_refusal(answer: Answer, outcome: Outcome) -> int:
    """Return how many are left by a refusal, noting it if that would have been enough."""
    facts = answer.json["lines"][0] if "lines" in answer.json else answer.json
    if facts["available"] >= facts["wanted"]:
        outcome.refused_although_enough_was_left.append(str(facts))
    return int(facts["available"])


def race(buyers: Sequence[Caller], product_id: int) -> Outcome:
    run: Callable[[tuple[int, Caller]], Outcome] = lambda job: buy_until_sold_out(job[1], product_id, seed=job[0])  # noqa: E731
    with ThreadPoolExecutor(BUYERS) as pool:
        outcomes = list(pool.map(run, enumerate(buyers)))
    return Outcome(
        sum(outcome.bought for outcome in outcomes),
        [line for outcome in outcomes for line in outcome.refused_although_enough_was_left],
        [line for outcome in outcomes for line in outcome.unexpected],
    )


def buyers_of(make: Make) -> Sequence[Caller]:
    return [make.customer(f"buyer{number}") for number in range(BUYERS)]


def ordered_pieces(db: Database, product_id: int) -> int:
    pieces = select(func.coalesce(func.sum(OrderLine.quantity), 0)).where(OrderLine.product_id == product_id)
    with db.read() as session:
        return int(session.scalars(pieces).one())


def test_exactly_what_there_is_gets_sold(make_over_http: Make, db: Database, is_soak: bool) -> None:
    buyers = buyers_of(make_over_http)

    for number in range(10 if is_soak else 2):
        product_id = make_over_http.product(f"Mug {number}", stock=UNITS)
        outcome = race(buyers, product_id)

        assert outcome == Outcome(bought=UNITS)
        assert ordered_pieces(db, product_id) == UNITS
        assert make_over_http.stock_of(product_id) == 0


def test_without_its_guard_the_same_race_oversells_on_postgresql(make_without: MakeWithout) -> None:
    make = make_without("stock", constraint=("stock_level", "ck_stock_level_never_oversold"))
    product_id = make.product(stock=UNITS)

    race(buyers_of(make), product_id)

    sold = ordered_pieces(make.db, product_id)
    if is_postgresql(make.db):
        assert sold > UNITS
    else:
        assert sold == UNITS
