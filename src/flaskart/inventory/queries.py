"""Named reads of the inventory room."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import JSON, BigInteger, ColumnElement, ScalarSelect, Subquery, Text, bindparam, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute

from flaskart.inventory.models import StockLevel, StockLocation, StockMovement
from flaskart.kit.db import Session

# Stands for "any number" where a level has no backorder limit; far above what one order can ask for.
UNLIMITED = 10**12

AVAILABLE = StockLevel.on_hand - StockLevel.allocated - StockLevel.held
SELLABLE = AVAILABLE + func.coalesce(StockLevel.backorder_limit, UNLIMITED)


def available_stock(variant_id: InstrumentedAttribute[int]) -> ScalarSelect[int]:
    """Return a column for a query of variants: how many lie there unpromised, all locations together."""
    return _sum(AVAILABLE, variant_id)


def sellable_stock(variant_id: InstrumentedAttribute[int]) -> ScalarSelect[int]:
    """Return a column for a query of variants: how many can be sold, backorders included."""
    return _sum(SELLABLE, variant_id)


def list_sellable(session: Session, variant_ids: Collection[int]) -> Mapping[int, Sequence[tuple[int, int]]]:
    """Return, by variant, the levels (id, sellable) in ascending id order."""
    levels: dict[int, list[tuple[int, int]]] = {variant_id: [] for variant_id in variant_ids}
    for variant_id, level_id, sellable in session.send(_SELLABLE, {"wanted": dict.fromkeys(map(str, variant_ids), 0)}):
        levels[variant_id].append((level_id, sellable))
    return levels


def lock_levels(session: Session, variant_ids: Collection[int]) -> Sequence[StockLevel]:
    """Return the levels of variants in ascending id order, which nobody else changes until the transaction ends."""
    levels = select(StockLevel).where(StockLevel.variant_id.in_(variant_ids)).order_by(StockLevel.id)
    return session.scalars(levels.with_for_update(key_share=True).execution_options(populate_existing=True)).all()


def default_location_id(session: Session) -> int:
    return session.scalars(select(StockLocation.id).order_by(StockLocation.id).limit(1)).one()


def list_promised(session: Session, reference: str) -> Mapping[int, int]:
    """Return how many pieces of each level (by its id) the ledger says are promised under a reference."""
    return {level_id: int(quantity) for level_id, quantity in session.send(_PROMISED, {"reference": reference})}


def numbers_by_id(name: str) -> Subquery:
    """Return the JSON object that parameter `name` holds as a table of ids and numbers.

    It is one parameter, so a statement is the same whatever its size.
    """
    entries = func.json_each(bindparam(name, type_=JSON)).table_valued("key", "value")
    # PostgreSQL's values are JSON, which only text can be made of.
    number = cast(cast(entries.c.value, Text), BigInteger)
    return select(cast(entries.c.key, BigInteger).label("id"), number.label("number")).subquery(name)


def _sum(quantity: ColumnElement[int], variant_id: InstrumentedAttribute[int]) -> ScalarSelect[int]:
    # PostgreSQL's sum of BIGINT is NUMERIC, which would come as Decimal.
    total = cast(func.coalesce(func.sum(quantity), 0), BigInteger)
    return select(total).where(StockLevel.variant_id == variant_id).scalar_subquery()


# Put together once: building them takes longer than running them.
_WANTED = numbers_by_id("wanted")
_SELLABLE = (
    select(StockLevel.variant_id, StockLevel.id, SELLABLE)
    .join(_WANTED, _WANTED.c.id == StockLevel.variant_id)
    .order_by(StockLevel.id)
)
_PROMISED = (
    select(StockMovement.stock_level_id, func.sum(StockMovement.allocated_delta))
    .where(StockMovement.reference == bindparam("reference"))
    .group_by(StockMovement.stock_level_id)
)
