"""Stock opened and corrected, and the database's own refusal to oversell."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from flaskart.inventory.actions import allocate, open_stocks, release, set_available
from flaskart.inventory.models import StockLevel
from flaskart.kit.db import Database
from flaskart.kit.duplicates import violated_constraint
from tests.inventory.shelves import demand, everything, ledger, levels, stocked


def test_opened_stocks_are_explained_by_the_ledger(db: Database) -> None:
    mug, bowl = stocked(db, 1), stocked(db, 1)
    with db.write() as session:
        for level in session.scalars(select(StockLevel)):
            session.delete(level)

    with db.write() as session:
        open_stocks(session, {bowl: 12, mug: 0})

    assert levels(db, bowl) == [(12, 0, 0)]
    assert levels(db, mug) == [(0, 0, 0)]
    assert [movement[1:] for movement in ledger(db)] == [("received", 12, 0)]  # nothing received, nothing written


def test_a_variant_has_one_level_at_a_location(db: Database) -> None:
    mug = stocked(db, 3)
    before = everything(db)

    with pytest.raises(IntegrityError), db.write() as session:
        open_stocks(session, {mug: 5})

    assert everything(db) == before


@pytest.mark.parametrize("available", [0, 1, 7, 25])
def test_stock_is_set_to_what_can_be_sold_and_promises_are_kept(db: Database, available: int) -> None:
    mug = stocked(db, 10)
    with db.write() as session:
        allocate(session, [demand(mug, 4)], reference="promise:1")

    with db.write() as session:
        set_available(session, mug, available)

    assert levels(db, mug) == [(available + 4, 4, 0)]


def test_setting_what_is_so_already_writes_nothing(db: Database) -> None:
    mug = stocked(db, 10)
    before = everything(db)

    with db.write() as session:
        set_available(session, mug, 10)

    assert everything(db) == before


@pytest.mark.parametrize(
    ("available", "on_hand"),
    [
        (7, [5, 5]),  # as it is: three of the first five are promised
        (11, [9, 5]),  # what is added lies at the first location
        (6, [4, 5]),  # what is missing is taken from the first location first
        (5, [3, 5]),
        (4, [3, 4]),
        (0, [3, 0]),
    ],
)
def test_several_locations_are_corrected_first_one_first(db: Database, available: int, on_hand: list[int]) -> None:
    mug = stocked(db, 5, 5)
    with db.write() as session:
        allocate(session, [demand(mug, 3)], reference="promise:1")

    with db.write() as session:
        set_available(session, mug, available)

    assert levels(db, mug) == [(on_hand[0], 3, 0), (on_hand[1], 0, 0)]


@pytest.mark.parametrize(("available", "on_hand"), [(2, [4, 2]), (5, [7, 2]), (1, [3, 2]), (0, [2, 2])])
def test_backorders_at_one_location_do_not_disturb_the_correction(
    db: Database, available: int, on_hand: list[int]
) -> None:
    mug = stocked(db, 4, 2, backorder_limit=5)
    with db.write() as session:
        allocate(session, [demand(mug, 9)], reference="promise:1")
    with db.write() as session:
        allocate(session, [demand(mug, 4)], reference="promise:2")
    with db.write() as session:
        release(session, reference="promise:1")
    assert levels(db, mug) == [(4, 0, 0), (2, 4, 0)]  # four can be sold here, two are owed there

    with db.write() as session:
        set_available(session, mug, available)

    assert levels(db, mug) == [(on_hand[0], 0, 0), (on_hand[1], 4, 0)]


def test_the_correction_of_one_variant_leaves_the_others(db: Database) -> None:
    mug, bowl = stocked(db, 5), stocked(db, 7)

    with db.write() as session:
        set_available(session, mug, 1)

    assert levels(db, bowl) == [(7, 0, 0)]


@pytest.mark.parametrize(
    ("backorder_limit", "values"),
    [
        (0, "allocated = 11"),
        (0, "held = 11"),
        (0, "allocated = 6, held = 5"),
        (0, "on_hand = 3"),
        (0, "allocated = -1"),
        (0, "held = -1"),
        (5, "allocated = 16"),
        (5, "allocated = 4, on_hand = 0, backorder_limit = 3"),
        (None, "allocated = -1"),
        (None, "held = -1"),
    ],
)
def test_the_database_itself_refuses_to_oversell(db: Database, backorder_limit: int | None, values: str) -> None:
    mug = stocked(db, 10, backorder_limit=backorder_limit)
    with db.write() as session:
        allocate(session, [demand(mug, 4)], reference="promise:1")
    before = everything(db)

    with pytest.raises(IntegrityError) as violation, db.write() as session:
        session.execute(text(f"UPDATE stock_level SET {values}"))  # noqa: S608 - written above

    assert violated_constraint(violation.value) == "ck_stock_level_never_oversold"
    assert everything(db) == before


def test_less_than_nothing_cannot_lie_on_a_shelf(db: Database) -> None:
    stocked(db, 10, backorder_limit=None)
    before = everything(db)

    with pytest.raises(IntegrityError) as violation, db.write() as session:
        session.execute(text("UPDATE stock_level SET on_hand = -1"))

    assert violated_constraint(violation.value) == "ck_stock_level_on_hand"
    assert everything(db) == before
