"""What happens to stock. Every change of a level is one row of the ledger, in the same transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import CTE, Subquery, func, insert, literal, select, update
from sqlalchemy.orm import Session

from flaskart.inventory import queries
from flaskart.inventory.errors import InsufficientStock
from flaskart.inventory.models import MovementKind, StockLevel, StockMovement
from flaskart.kit import clock
from flaskart.kit.db import TryAgain


@dataclass(frozen=True, slots=True)
class Demand:
    """How many of a variant an order line wants; product and name are for the refusal."""

    variant_id: int
    product_id: int
    name: str
    quantity: int
    is_for_sale: bool


def open_stocks(session: Session, quantities: Mapping[int, int]) -> None:
    """Start the stock of new variants at the default location, with the given quantities received. Two statements."""
    location_id = queries.default_location_id(session)
    levels = [
        {
            "variant_id": variant_id,
            "location_id": location_id,
            "on_hand": quantity,
            "allocated": 0,
            "held": 0,
            "backorder_limit": 0,
        }
        for variant_id, quantity in quantities.items()
    ]
    opened = session.execute(insert(StockLevel).returning(StockLevel.id, StockLevel.variant_id), levels)
    received = [
        _on_hand_movement(level_id, MovementKind.RECEIVED, quantities[variant_id])
        for level_id, variant_id in opened
        if quantities[variant_id]
    ]
    if received:
        session.execute(insert(StockMovement), received)


def set_available(session: Session, variant_id: int, available: int) -> None:
    """Correct the stock so that `available` pieces can be sold; what is promised to orders stays promised.

    What is added lies at the first location; what is missing is taken where it is available, first location first.
    """
    levels = queries.lock_levels(session, [variant_id])
    change = available - sum(level.on_hand - level.allocated - level.held for level in levels)
    for level in levels:
        spare = max(level.on_hand - level.allocated - level.held, 0)  # none where more is promised than is there
        delta = max(change, -spare)
        if delta:
            level.on_hand += delta
            session.execute(insert(StockMovement), [_on_hand_movement(level.id, MovementKind.ADJUSTED, delta)])
            change -= delta
    session.flush()


def allocate(session: Session, demands: Sequence[Demand], reference: str) -> None:
    """Promise stock to an order: all of it, or none.

    Call it last in a transaction: from here until the commit others wait for the same rows, which are locked in
    ascending id order. Two demands for one variant are one.

    Raises:
        InsufficientStock: `lines` tells each variant of which there is not enough, with `wanted` and `available`.
    """
    taken = _plan(session, demands)
    demand = queries.demand_table(taken)
    _record(session, demand, MovementKind.ALLOCATED, sign=1, reference=reference)
    locked = _locked(demand)
    guarded = (
        update(StockLevel)
        .where(StockLevel.id == demand.c.level_id, StockLevel.id == locked.c.id)
        .where(demand.c.quantity <= queries.SELLABLE)
        .values(allocated=StockLevel.allocated + demand.c.quantity)
        .returning(StockLevel.id)
        .execution_options(synchronize_session=False)
    )
    if len(session.scalars(guarded).all()) != len(taken):
        raise TryAgain  # somebody was faster; read again, there may be enough elsewhere


def release(session: Session, reference: str) -> None:
    """Give back what `allocate` promised under `reference`. Call it once: the caller guards against a repetition."""
    promised = (
        select(
            StockMovement.stock_level_id.label("level_id"), func.sum(StockMovement.allocated_delta).label("quantity")
        )
        .where(StockMovement.reference == reference)
        .group_by(StockMovement.stock_level_id)
    )
    demand = queries.demand_table({level_id: int(quantity) for level_id, quantity in session.execute(promised)})
    _record(session, demand, MovementKind.RELEASED, sign=-1, reference=reference)
    locked = _locked(demand)
    session.execute(
        update(StockLevel)
        .where(StockLevel.id == demand.c.level_id, StockLevel.id == locked.c.id)
        .values(allocated=StockLevel.allocated - demand.c.quantity)
        .execution_options(synchronize_session=False)
    )


def _plan(session: Session, demands: Sequence[Demand]) -> Mapping[int, int]:
    """Choose how many to take from which level, lowest id first."""
    wanted: dict[int, int] = {}
    for demand in demands:
        wanted[demand.variant_id] = wanted.get(demand.variant_id, 0) + demand.quantity
    levels = queries.list_sellable(session, wanted.keys())
    by_variant = {demand.variant_id: demand for demand in demands}
    taken: dict[int, int] = {}
    short = []
    for variant_id, quantity in wanted.items():
        demand = by_variant[variant_id]
        capacities = levels[variant_id] if demand.is_for_sale else []
        sellable = sum(max(capacity, 0) for _, capacity in capacities)
        if quantity > sellable:
            facts = {"product_id": demand.product_id, "variant_id": variant_id, "name": demand.name}
            short.append(facts | {"wanted": quantity, "available": sellable})
        missing = quantity
        for level_id, capacity in capacities:
            part = min(missing, max(capacity, 0))
            if part:
                taken[level_id] = part
                missing -= part
    if short:
        names = ", ".join(str(line["name"]) for line in short)
        raise InsufficientStock(f"There is not enough stock of: {names}", lines=short)
    return taken


def _record(session: Session, demand: Subquery, kind: MovementKind, *, sign: int, reference: str) -> None:
    columns = ("stock_level_id", "kind", "on_hand_delta", "allocated_delta", "held_delta", "reference", "created_at")
    rows = select(
        demand.c.level_id,
        literal(kind.value),
        literal(0),
        demand.c.quantity * sign,
        literal(0),
        literal(reference),
        literal(clock.now(), StockMovement.created_at.type),
    )
    session.execute(insert(StockMovement).from_select(columns, rows))


def _locked(demand: Subquery) -> CTE:
    """Lock the demanded levels in ascending id order; rows referring to them may still be inserted meanwhile."""
    ids = select(demand.c.level_id)
    return (
        select(StockLevel.id)
        .where(StockLevel.id.in_(ids))
        .order_by(StockLevel.id)
        .with_for_update(key_share=True)
        .cte("locked")
    )


def _on_hand_movement(level_id: int, kind: MovementKind, delta: int) -> dict[str, object]:
    return {
        "stock_level_id": level_id,
        "kind": kind,
        "on_hand_delta": delta,
        "allocated_delta": 0,
        "held_delta": 0,
        "reference": None,
        "created_at": clock.now(),
    }
