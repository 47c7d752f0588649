"""Named reads of the inventory room."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import JSON, BigInteger, ScalarSelect, Subquery, Text, bindparam, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from flaskart.inventory.models import StockLevel, StockLocation

# Stands for "any number" where a level has no backorder limit; far above what one order can ask for.
UNLIMITED = 10**12

AVAILABLE = StockLevel.on_hand - StockLevel.allocated - StockLevel.held
SELLABLE = AVAILABLE + func.coalesce(StockLevel.backorder_limit, UNLIMITED)


def available_stock(variant_id: InstrumentedAttribute[int]) -> ScalarSelect[int]:
    """Return a column for a query of variants: how many lie there unpromised, all locations together."""
    return select(func.coalesce(func.sum(AVAILABLE), 0)).where(StockLevel.variant_id == variant_id).scalar_subquery()


def sellable_stock(variant_id: InstrumentedAttribute[int]) -> ScalarSelect[int]:
    """Return a column for a query of variants: how many can be sold, backorders included."""
    return select(func.coalesce(func.sum(SELLABLE), 0)).where(StockLevel.variant_id == variant_id).scalar_subquery()


def list_sellable(session: Session, variant_ids: Collection[int]) -> Mapping[int, Sequence[tuple[int, int]]]:
    """Return, by variant, the levels (id, sellable) in ascending id order."""
    wanted = _ids(variant_ids)
    rows = session.execute(
        select(StockLevel.variant_id, StockLevel.id, SELLABLE)
        .join(wanted, wanted.c.id == StockLevel.variant_id)
        .order_by(StockLevel.id)
    )
    levels: dict[int, list[tuple[int, int]]] = {variant_id: [] for variant_id in variant_ids}
    for variant_id, level_id, sellable in rows:
        levels[variant_id].append((level_id, sellable))
    return levels


def lock_levels(session: Session, variant_ids: Collection[int]) -> Sequence[StockLevel]:
    """Return the levels of variants in ascending id order, which nobody else changes until the transaction ends."""
    levels = select(StockLevel).where(StockLevel.variant_id.in_(variant_ids)).order_by(StockLevel.id)
    return session.scalars(levels.with_for_update(key_share=True).execution_options(populate_existing=True)).all()


def default_location_id(session: Session) -> int:
    return session.scalars(select(StockLocation.id).order_by(StockLocation.id).limit(1)).one()


def demand_table(demand: Mapping[int, int]) -> Subquery:
    """Return `demand` (quantity by stock level) as a table: one parameter, so one statement whatever its size."""
    parameter = bindparam("demand", {str(key): value for key, value in demand.items()}, JSON)
    entries = func.json_each(parameter).table_valued("key", "value")
    # PostgreSQL's values are JSON, which only text can be made of.
    quantity = cast(cast(entries.c.value, Text), BigInteger)
    return select(cast(entries.c.key, BigInteger).label("level_id"), quantity.label("quantity")).subquery("demand")


def _ids(ids: Collection[int]) -> Subquery:
    parameter = bindparam("ids", {str(id_): 0 for id_ in ids}, JSON)
    entries = func.json_each(parameter).table_valued("key", "value")
    return select(cast(entries.c.key, BigInteger).label("id")).subquery("wanted")
