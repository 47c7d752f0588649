"""What happens to stock. Every change of a level is one row of the ledger, in the same transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, insert, literal, select, update

from flaskart.inventory import queries
from flaskart.inventory.errors import InsufficientStock
from flaskart.inventory.models import MovementKind, StockLevel, StockMovement
from flaskart.kit import clock
from flaskart.kit.db import Session


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
    """Promise stock to an order: all of it, or none. Call it once in a transaction.

    It is taken by the transaction's last statement, since from then until the commit others wait for the same rows,
    which are locked in ascending id order. Two demands for one variant are one.

    Raises:
        InsufficientStock: `lines` tells each variant of which there is not enough, with `wanted` and `available`.
    """
    taken = _plan(session, demands)
    _record(session, taken, MovementKind.ALLOCATED, reference)
    # Fewer rows: somebody was faster. When it is run again it reads the new state; there may be enough elsewhere.
    session.send_last(_TAKE, {"changes": _keyed(taken)}, rows=len(taken))


def release(session: Session, reference: str) -> None:
    """Give back what `allocate` promised under `reference`. Call it once: the caller guards against a repetition."""
    given = {level_id: -quantity for level_id, quantity in queries.list_promised(session, reference).items()}
    _record(session, given, MovementKind.RELEASED, reference)
    session.send_last(_TAKE, {"changes": _keyed(given)}, rows=len(given))


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


def _record(session: Session, changes: Mapping[int, int], kind: MovementKind, reference: str) -> None:
    session.send(_RECORD, {"changes": _keyed(changes), "kind": kind.value, "reference": reference, "now": clock.now()})


def _keyed(changes: Mapping[int, int]) -> dict[str, int]:
    """Return changes by level id as JSON has them."""
    return {str(level_id): quantity for level_id, quantity in changes.items()}


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


# Put together once: building them takes longer than running them.
_CHANGES = queries.numbers_by_id("changes")
_RECORD = insert(StockMovement).from_select(
    ("stock_level_id", "kind", "on_hand_delta", "allocated_delta", "held_delta", "reference", "created_at"),
    select(
        _CHANGES.c.id,
        bindparam("kind", type_=StockMovement.kind.type),
        literal(0),
        _CHANGES.c.number,
        literal(0),
        bindparam("reference", type_=StockMovement.reference.type),
        bindparam("now", type_=StockMovement.created_at.type),
    ),
)
# Rows that refer to a locked level may still be inserted meanwhile.
_LOCKED = (
    select(StockLevel.id)
    .where(StockLevel.id.in_(select(_CHANGES.c.id)))
    .order_by(StockLevel.id)
    .with_for_update(key_share=True)
    .cte("locked")
)
_TAKE = (
    update(StockLevel)
    .where(StockLevel.id == _CHANGES.c.id, StockLevel.id == _LOCKED.c.id, _CHANGES.c.number <= queries.SELLABLE)
    .values(allocated=StockLevel.allocated + _CHANGES.c.number)
    .returning(StockLevel.id)
)
