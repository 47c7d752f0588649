"""What must be true of a shop's data at any moment; `flaskart doctor` and the tests ask."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, Select, cast, func, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from flaskart.inventory.models import StockLevel, StockMovement
from flaskart.kit.db import Session
from flaskart.orders.models import EventKind, Order, OrderEvent, OrderLine, OrderStatus
from flaskart.web.idempotency import IdempotencyKey

MAX_EXAMPLES = 10
Counter = InstrumentedAttribute[int]


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that does not hold, and the rows that break it, up to ten of them."""

    invariant: str
    rule: str
    table: str
    ids: tuple[int, ...]


def check_invariants(session: Session) -> list[Violation]:
    """Return what is wrong, an empty list for a sound shop. The database does the work; few rows are fetched."""
    violations = []
    for invariant, rule, table, broken in _checks():
        ids = session.scalars(broken.limit(MAX_EXAMPLES)).all()
        if ids:
            violations.append(Violation(invariant, rule, table, tuple(ids)))
    return violations


def _checks() -> Iterator[tuple[str, str, str, Select[int]]]:
    yield "I1", "no counter is negative and nothing is oversold", "stock_level", _oversold()
    yield "I3", "each level is the sum of its ledger", "stock_level", _unexplained_levels()
    yield "I4", "the total of an order is the sum of its lines", "order", _wrong_totals()
    yield "I5", "an order has at least one line", "order", _orders_without_lines()
    yield "I6", "an order was placed exactly once", "order", _orders_not_placed_once()
    yield "I10", "an order holds the stock of its lines, a canceled one holds none", "order", _wrong_promises()
    yield "I11", "no request is left half done", "idempotency_key", _unanswered_requests()


def _oversold() -> Select[int]:
    level = StockLevel
    promised_too_much = level.allocated + level.held > level.on_hand + level.backorder_limit
    return select(level.id).where(or_(level.on_hand < 0, level.allocated < 0, level.held < 0, promised_too_much))


def _unexplained_levels() -> Select[int]:
    level, movement = StockLevel, StockMovement

    def differs(counter: Counter, delta: Counter) -> ColumnElement[bool]:
        return func.coalesce(func.sum(delta), 0) != counter

    return (
        select(level.id)
        .outerjoin(movement, movement.stock_level_id == level.id)
        .group_by(level.id)
        .having(
            or_(
                differs(level.on_hand, movement.on_hand_delta),
                differs(level.allocated, movement.allocated_delta),
                differs(level.held, movement.held_delta),
            )
        )
    )


def _wrong_totals() -> Select[int]:
    parts = Order.subtotal_minor + Order.discount_total_minor + Order.shipping_total_minor + Order.tax_total_minor
    lines = select(func.coalesce(func.sum(OrderLine.total_minor), 0)).where(OrderLine.order_id == Order.id)
    pieces = select(func.coalesce(func.sum(OrderLine.quantity), 0)).where(OrderLine.order_id == Order.id)
    return select(Order.id).where(
        or_(
            Order.total_minor != parts,
            Order.subtotal_minor != lines.scalar_subquery(),
            Order.items_count != pieces.scalar_subquery(),
        )
    )


def _orders_without_lines() -> Select[int]:
    return select(Order.id).where(~select(OrderLine.id).where(OrderLine.order_id == Order.id).exists())


def _orders_not_placed_once() -> Select[int]:
    placed = select(func.count()).where(OrderEvent.order_id == Order.id, OrderEvent.kind == EventKind.PLACED)
    return select(Order.id).where(placed.scalar_subquery() != 1)


def _wrong_promises() -> Select[int]:
    """Compare what the ledger says an order holds with what its lines still need."""
    reference = literal("order:").concat(cast(Order.id, StockMovement.reference.type))
    held = select(func.coalesce(func.sum(StockMovement.allocated_delta), 0)).where(StockMovement.reference == reference)
    needed = select(func.coalesce(func.sum(OrderLine.quantity - OrderLine.fulfilled), 0)).where(
        OrderLine.order_id == Order.id, Order.status == OrderStatus.PLACED
    )
    return select(Order.id).where(
        cast(held.scalar_subquery(), BigInteger) != cast(needed.correlate(Order).scalar_subquery(), BigInteger)
    )


def _unanswered_requests() -> Select[int]:
    return select(IdempotencyKey.id).where(IdempotencyKey.status.is_(None))
