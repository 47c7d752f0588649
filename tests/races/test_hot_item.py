"""Many buyers, one item, real HTTP, two server processes: exactly what there is gets sold."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import func, select, text

from flaskart.kit.db import Database
from flaskart.orders.models import OrderLine
from tests.callers import Answer, Caller, Make
from tests.conftest import TOKENS
from tests.servers import serving

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
        available = judge_refusal(answer, outcome)
        if available == 0:
            return outcome
        buyer.delete("/cart/clear")
    outcome.unexpected.append("never sold out")
    return outcome


def judge_refusal(answer: Answer, outcome: Outcome) -> int:
    """Return how many are left by a refusal, noting it if that would have been enough."""
    facts = answer.json["lines"][0] if "lines" in answer.json else answer.json
    if facts["available"] >= facts["wanted"]:
        outcome.refused_although_enough_was_left.append(str(facts))
    return int(facts["available"])


def race(make: Make, product_id: int) -> Outcome:
    buyers = [make.customer(f"buyer{number}") for number in range(BUYERS)]
    run: Callable[[tuple[int, Caller]], Outcome] = lambda job: buy_until_sold_out(job[1], product_id, seed=job[0])  # noqa: E731
    with ThreadPoolExecutor(BUYERS) as pool:
        outcomes = list(pool.map(run, enumerate(buyers)))
    return Outcome(
        sum(outcome.bought for outcome in outcomes),
        [line for outcome in outcomes for line in outcome.refused_although_enough_was_left],
        [line for outcome in outcomes for line in outcome.unexpected],
    )


def ordered_pieces(db: Database) -> int:
    with db.read() as session:
        return int(session.scalar(select(func.coalesce(func.sum(OrderLine.quantity), 0))) or 0)


def test_exactly_what_there_is_gets_sold(make_over_http: Make, db: Database) -> None:
    product_id = make_over_http.product(stock=UNITS)

    outcome = race(make_over_http, product_id)

    assert outcome == Outcome(bought=UNITS)
    assert ordered_pieces(db) == UNITS
    assert make_over_http.stock_of(product_id) == 0


def test_without_its_guard_the_same_race_oversells_on_postgresql(database_url: str, tmp_path: Path) -> None:
    """The canary. SQLite lets one writer in at a time, so there even unguarded code sells what there is."""
    db = Database(database_url)
    if db.engine.dialect.name == "postgresql":
        with db.write() as session:
            session.execute(text("ALTER TABLE stock_level DROP CONSTRAINT ck_stock_level_never_oversold"))

    with serving(database_url, tmp_path, app="tests.races.unguarded:wsgi") as server:
        make = Make(db, TOKENS, server.send)
        race(make, make.product(stock=UNITS))

    sold = ordered_pieces(db)
    db.close()
    if db.engine.dialect.name == "postgresql":
        assert sold > UNITS
    else:
        assert sold == UNITS
