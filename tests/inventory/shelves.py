"""Stock to test with, at one place or several, and what became of it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select, update

from flaskart.catalog.models import Variant
from flaskart.inventory.actions import Demand
from flaskart.inventory.models import MovementKind, StockLevel, StockLocation, StockMovement
from flaskart.kit import clock
from flaskart.kit.audit import SYSTEM
from flaskart.kit.db import Database
from flaskart.listings.actions import add_listing

Rows = Sequence[Row[*tuple[Any, ...]]]


def stocked(db: Database, *quantities: int, backorder_limit: int | None = 0) -> int:
    """Return a new variant of which so many pieces lie at the first location, at the second, and so on."""
    with db.write() as session:
        product_id = add_listing(session, SYSTEM, name="Mug", price_minor=1_999, currency="USD", stock=quantities[0])
        variant_id = session.scalars(select(Variant.id).where(Variant.product_id == product_id)).one()
        count = session.scalars(select(func.count()).select_from(StockLocation)).one()
        session.add_all([StockLocation(name=f"Place {number}") for number in range(count, len(quantities))])
        session.flush()
        locations = session.scalars(select(StockLocation.id).order_by(StockLocation.id)).all()
        for location_id, quantity in list(zip(locations, quantities, strict=False))[1:]:
            level = StockLevel(
                variant_id=variant_id,
                location_id=location_id,
                on_hand=quantity,
                allocated=0,
                held=0,
                backorder_limit=0,
            )
            session.add(level)
            session.flush()
            session.add(received(level.id, quantity))
        limits = update(StockLevel).where(StockLevel.variant_id == variant_id)
        session.execute(limits.values(backorder_limit=backorder_limit))
    return variant_id


def received(level_id: int, quantity: int) -> StockMovement:
    return StockMovement(
        stock_level_id=level_id,
        kind=MovementKind.RECEIVED,
        on_hand_delta=quantity,
        allocated_delta=0,
        held_delta=0,
        reference=None,
        created_at=clock.now(),
    )


def demand(variant_id: int, quantity: int, *, name: str = "Mug", is_for_sale: bool = True) -> Demand:
    """Return a demand of the product whose id is a hundred times the variant's."""
    return Demand(variant_id, variant_id * 100, name, quantity, is_for_sale)


def levels(db: Database, variant_id: int) -> Rows:
    """Return (on_hand, allocated, held) of each level, lowest id first."""
    with db.read() as session:
        own = select(StockLevel.on_hand, StockLevel.allocated, StockLevel.held)
        return session.execute(own.where(StockLevel.variant_id == variant_id).order_by(StockLevel.id)).all()


def ledger(db: Database, reference: str | None = None) -> Rows:
    """Return (level id, kind, on_hand delta, allocated delta) of what happened under a reference, by level."""
    row = StockMovement
    with db.read() as session:
        chosen = select(row.stock_level_id, row.kind, row.on_hand_delta, row.allocated_delta)
        return session.execute(
            chosen.where(row.reference.is_not_distinct_from(reference)).order_by(row.kind, row.stock_level_id, row.id)
        ).all()


def everything(db: Database) -> Rows:
    """Return all levels and the length of the ledger, to see that nothing changed."""
    with db.read() as session:
        columns = (*StockLevel.__table__.columns, select(func.count(StockMovement.id)).scalar_subquery())
        return session.execute(select(*columns).order_by(StockLevel.id)).all()
