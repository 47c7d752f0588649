"""Stock promised to orders, all of it or none, and given back."""

from typing import Any

import pytest
from sqlalchemy import Connection, event, update

from flaskart.inventory.actions import allocate, release
from flaskart.inventory.errors import InsufficientStock
from flaskart.inventory.models import StockLevel
from flaskart.kit.db import Database, TryAgain
from tests.inventory.shelves import demand, everything, ledger, levels, stocked

LOCKING = {"sqlite": "ORDER BY stock_level.id", "postgresql": "ORDER BY stock_level.id FOR NO KEY UPDATE"}


def test_what_is_allocated_stays_there_but_is_promised(db: Database) -> None:
    mug = stocked(db, 10)

    with db.write() as session:
        allocate(session, [demand(mug, 3)], reference="promise:1")

    assert levels(db, mug) == [(10, 3, 0)]
    assert ledger(db, "promise:1") == [(1, "allocated", 0, 3)]


def test_the_last_piece_can_be_had_but_not_one_more(db: Database) -> None:
    mug = stocked(db, 10)
    with db.write() as session:
        allocate(session, [demand(mug, 10)], reference="promise:1")
    before = everything(db)

    with pytest.raises(InsufficientStock), db.write() as session:
        allocate(session, [demand(mug, 1)], reference="promise:2")

    assert levels(db, mug) == [(10, 10, 0)]
    assert everything(db) == before


def test_two_demands_of_one_variant_are_one(db: Database) -> None:
    mug = stocked(db, 5)

    with db.write() as session:
        allocate(session, [demand(mug, 2), demand(mug, 3)], reference="promise:1")

    assert levels(db, mug) == [(5, 5, 0)]
    assert ledger(db, "promise:1") == [(1, "allocated", 0, 5)]


def test_two_demands_that_only_fit_one_by_one_are_refused(db: Database) -> None:
    mug = stocked(db, 5)
    before = everything(db)

    with pytest.raises(InsufficientStock) as refusal, db.write() as session:
        allocate(session, [demand(mug, 3), demand(mug, 3)], reference="promise:1")

    assert [(line["wanted"], line["available"]) for line in lines_of(refusal.value)] == [(6, 5)]
    assert everything(db) == before


def test_a_refusal_names_each_line_there_is_not_enough_of_and_takes_nothing(db: Database) -> None:
    mug, bowl, apron, hat = stocked(db, 2), stocked(db, 9), stocked(db, 0), stocked(db, 7)
    before = everything(db)
    demands = [
        demand(mug, 3, name="Mug"),
        demand(bowl, 9, name="Bowl"),
        demand(apron, 1, name="Apron"),
        demand(hat, 1, name="Hat", is_for_sale=False),
    ]

    with pytest.raises(InsufficientStock) as refusal, db.write() as session:
        allocate(session, demands, reference="promise:1")

    assert refusal.value.detail == "There is not enough stock of: Mug, Apron, Hat"
    assert lines_of(refusal.value) == [
        {"product_id": mug * 100, "variant_id": mug, "name": "Mug", "wanted": 3, "available": 2},
        {"product_id": apron * 100, "variant_id": apron, "name": "Apron", "wanted": 1, "available": 0},
        {"product_id": hat * 100, "variant_id": hat, "name": "Hat", "wanted": 1, "available": 0},
    ]
    assert everything(db) == before


def test_a_variant_that_was_never_stocked_is_not_available(db: Database) -> None:
    with pytest.raises(InsufficientStock) as refusal, db.write() as session:
        allocate(session, [demand(77, 1)], reference="promise:1")

    assert [line["available"] for line in lines_of(refusal.value)] == [0]


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [(1, [1, 0, 0]), (3, [3, 0, 0]), (4, [3, 0, 1]), (8, [3, 0, 5])],
)
def test_a_demand_is_split_over_locations_lowest_id_first(db: Database, wanted: int, taken: list[int]) -> None:
    mug = stocked(db, 3, 0, 5)

    with db.write() as session:
        allocate(session, [demand(mug, wanted)], reference="promise:1")

    assert [allocated for _, allocated, _ in levels(db, mug)] == taken
    assert [delta for _, _, _, delta in ledger(db, "promise:1")] == [part for part in taken if part]


def test_more_than_all_locations_have_is_refused(db: Database) -> None:
    mug = stocked(db, 3, 0, 5)
    before = everything(db)

    with pytest.raises(InsufficientStock) as refusal, db.write() as session:
        allocate(session, [demand(mug, 9)], reference="promise:1")

    assert [(line["wanted"], line["available"]) for line in lines_of(refusal.value)] == [(9, 8)]
    assert everything(db) == before


@pytest.mark.parametrize(("backorder_limit", "most"), [(0, 3), (5, 8)])
def test_backorders_end_at_their_limit(db: Database, backorder_limit: int, most: int) -> None:
    mug = stocked(db, 3, backorder_limit=backorder_limit)

    with pytest.raises(InsufficientStock) as refusal, db.write() as session:
        allocate(session, [demand(mug, most + 1)], reference="promise:1")
    assert [line["available"] for line in lines_of(refusal.value)] == [most]
    assert levels(db, mug) == [(3, 0, 0)]
    with db.write() as session:
        allocate(session, [demand(mug, most)], reference="promise:1")

    assert levels(db, mug) == [(3, most, 0)]


def test_no_backorder_limit_means_any_number(db: Database) -> None:
    mug = stocked(db, 0, backorder_limit=None)

    for number in range(1, 4):
        with db.write() as session:
            allocate(session, [demand(mug, 5_000_000)], reference=f"promise:{number}")

    assert levels(db, mug) == [(0, 15_000_000, 0)]


def test_what_is_held_for_a_payment_is_not_sold_to_another(db: Database) -> None:
    mug = stocked(db, 10)
    with db.write() as session:
        session.execute(update(StockLevel).values(held=8, on_hand=8 + 2))

        with pytest.raises(InsufficientStock) as refusal:
            allocate(session, [demand(mug, 3)], reference="promise:1")
        session.execute(update(StockLevel).values(held=0))

    assert [line["available"] for line in lines_of(refusal.value)] == [2]


def test_stock_that_vanished_since_it_was_counted_is_not_taken(db: Database) -> None:
    mug = stocked(db, 10)
    before = everything(db)

    def sell_the_rest(connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("INSERT INTO stock_movement"):
            connection.connection.cursor().execute("UPDATE stock_level SET allocated = 8")

    event.listen(db.engine, "before_cursor_execute", sell_the_rest)
    with pytest.raises(TryAgain), db.write() as session:
        allocate(session, [demand(mug, 3)], reference="promise:1")
    event.remove(db.engine, "before_cursor_execute", sell_the_rest)

    assert everything(db) == before


def test_levels_are_locked_in_ascending_id_order_whatever_the_order_of_lines(db: Database) -> None:
    first, second, third = stocked(db, 5), stocked(db, 5), stocked(db, 5)
    sent: list[str] = []

    def listen(_connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(" ".join(statement.split()))

    event.listen(db.engine, "before_cursor_execute", listen)
    with db.write() as session:
        allocate(session, [demand(third, 1), demand(first, 1), demand(second, 1)], reference="promise:1")
    with db.write() as session:
        release(session, reference="promise:1")
    event.remove(db.engine, "before_cursor_execute", listen)

    updates = [statement for statement in sent if "UPDATE stock_level" in statement]
    assert len(updates) == 2
    assert all(LOCKING[db.engine.dialect.name] in statement for statement in updates)


def test_release_gives_back_what_was_promised_under_its_reference_and_no_more(db: Database) -> None:
    mug, bowl = stocked(db, 3, 5), stocked(db, 9)
    with db.write() as session:
        allocate(session, [demand(mug, 4), demand(bowl, 2)], reference="promise:1")
    with db.write() as session:
        allocate(session, [demand(mug, 1), demand(bowl, 1)], reference="promise:11")

    with db.write() as session:
        release(session, reference="promise:1")

    assert levels(db, mug) == [(3, 0, 0), (5, 1, 0)]
    assert levels(db, bowl) == [(9, 1, 0)]
    assert [(kind, delta) for _, kind, _, delta in ledger(db, "promise:1")] == [
        ("allocated", 3),
        ("allocated", 1),
        ("allocated", 2),
        ("released", -3),
        ("released", -1),
        ("released", -2),
    ]


def test_releasing_what_was_never_promised_changes_nothing(db: Database) -> None:
    stocked(db, 3)
    before = everything(db)

    with db.write() as session:
        release(session, reference="promise:7")

    assert everything(db) == before


def test_what_was_released_can_be_promised_again(db: Database) -> None:
    mug = stocked(db, 3)

    for number in range(1, 4):
        with db.write() as session:
            allocate(session, [demand(mug, 3)], reference=f"promise:{number}")
        with db.write() as session:
            release(session, reference=f"promise:{number}")

    assert levels(db, mug) == [(3, 0, 0)]


def lines_of(refusal: InsufficientStock) -> list[dict[str, object]]:
    lines = refusal.facts["lines"]
    assert isinstance(lines, list)
    return lines
