"""What must be true of a shop's data at any moment; `flaskart doctor` and the tests ask."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, Select, Text, and_, case, cast, func, not_, or_, select, union_all
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.orm import InstrumentedAttribute, aliased

from flaskart.accounts.models import ApiKey, Customer, RoleGrant
from flaskart.cart.models import Cart
from flaskart.inventory.models import MovementKind, StockLevel, StockMovement
from flaskart.kit.actor import Role
from flaskart.kit.audit import verify
from flaskart.kit.db import Session
from flaskart.kit.jobs import dead_jobs, overdue_jobs
from flaskart.orders.models import EventKind, Order, OrderEvent, OrderLine, OrderStatus
from flaskart.web.idempotency import IdempotencyKey

MAX_EXAMPLES = 10
ORDER = "order:"  # begins the reference of stock that is promised to an order; its id follows
MAX_DIGITS = 18  # of a number that is sure to fit 64 bits
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
    for invariant, rule, table, broken in _checks(session.get_bind().dialect.name):
        ids = session.scalars(broken.limit(MAX_EXAMPLES)).all()
        if ids:
            violations.append(Violation(invariant, rule, table, tuple(sorted(ids))))
    log = verify(session)
    if log.broken:
        rule = "each entry is as it was written and follows from the one before it"
        violations.append(Violation("I13", rule, "audit_entry", (log.broken.entry_id,)))
    return violations


def _checks(engine: str) -> Iterator[tuple[str, str, str, Select[int]]]:
    yield "I1", "no counter is negative and nothing is oversold", "stock_level", _oversold()
    yield "I1", "no counter of a line is negative or above its quantity", "order_line", _miscounted_lines()
    yield (
        "I2",
        "a movement changes what its kind may change, and a promise has a name",
        "stock_movement",
        _odd_movements(),
    )
    yield "I3", "each level is the sum of its ledger", "stock_level", _unexplained_levels()
    yield "I4", "the total of an order is the sum of its lines", "order", _wrong_totals()
    yield "I4", "the total of a line is its price times its quantity", "order_line", _wrong_line_totals()
    yield "I5", "an order has at least one line", "order", _orders_without_lines()
    yield "I6", "an order was placed once, and canceled once if at all", "order", _wrong_histories()
    yield "I6", "the order that was answered under a key is there", "idempotency_key", _missing_results(engine)
    yield "I10", "an order holds the stock of its lines, a canceled one holds none", "order", _wrong_promises()
    yield "I11", "no request is left half done", "idempotency_key", _unanswered_requests()
    yield "I11", "no job was given up", "job", dead_jobs()
    yield "I11", "no job that is due has waited for over an hour", "job", overdue_jobs()
    yield "I12", "an order has a number and a completed cart, both its own", "order", _mistaken_identities()
    yield "I12", "a completed cart became an order", "cart", _lost_carts()
    yield "I13", "an account is staff if it was granted a role, and only then", "customer", _misplaced_staff()


def _oversold() -> Select[int]:
    level = StockLevel
    promised_too_much = level.allocated + level.held > level.on_hand + level.backorder_limit
    return select(level.id).where(or_(level.on_hand < 0, level.allocated < 0, level.held < 0, promised_too_much))


def _miscounted_lines() -> Select[int]:
    line = OrderLine
    counters = (line.fulfilled, line.delivered, line.returned, line.canceled)
    wrong = [not_(counter.between(0, line.quantity)) for counter in counters]
    return select(line.id).where(or_(line.quantity < 1, *wrong))


def _odd_movements() -> Select[int]:
    """Find movements that cannot be: with them, goods come and go unexplained although the sums are right."""
    movement, kind, is_named = StockMovement, StockMovement.kind, StockMovement.reference.is_not(None)
    fits = or_(
        and_(kind == MovementKind.RECEIVED, movement.on_hand_delta >= 0, movement.allocated_delta == 0),
        and_(kind == MovementKind.ADJUSTED, movement.allocated_delta == 0),
        and_(kind == MovementKind.ALLOCATED, movement.on_hand_delta == 0, movement.allocated_delta >= 0, is_named),
        and_(kind == MovementKind.RELEASED, movement.on_hand_delta == 0, movement.allocated_delta <= 0, is_named),
    )
    return select(movement.id).where(not_(fits))


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
    order, line = Order, OrderLine
    parts = order.subtotal_minor + order.discount_total_minor + order.shipping_total_minor + order.tax_total_minor
    return (
        select(order.id)
        .outerjoin(line, line.order_id == order.id)
        .group_by(order.id)
        .having(
            or_(
                order.total_minor != parts,
                order.subtotal_minor != func.coalesce(func.sum(line.total_minor), 0),
                order.items_count != func.coalesce(func.sum(line.quantity), 0),
            )
        )
    )


def _wrong_line_totals() -> Select[int]:
    return select(OrderLine.id).where(OrderLine.total_minor != OrderLine.unit_price_minor * OrderLine.quantity)


def _orders_without_lines() -> Select[int]:
    return select(Order.id).where(~select(OrderLine.id).where(OrderLine.order_id == Order.id).exists())


def _wrong_histories() -> Select[int]:
    order, event = Order, OrderEvent

    def times(kind: EventKind) -> ColumnElement[int]:
        return func.count(case((event.kind == kind, 1)))

    cancellations = case((order.status == OrderStatus.CANCELED, 1), else_=0)
    return (
        select(order.id)
        .outerjoin(event, event.order_id == order.id)
        .group_by(order.id)
        .having(or_(times(EventKind.PLACED) != 1, times(EventKind.CANCELED) != cancellations))
    )


def _missing_results(engine: str) -> Select[int]:
    """Look up the order in each kept answer that shows one: its caller was told that it is there."""
    kept = IdempotencyKey
    if engine == "postgresql":
        shown = cast(func.convert_from(kept.body, "UTF8"), JSON)[("order", "id")].astext
    else:
        shown = func.json_extract(cast(kept.body, Text), "$.order.id")
    order_id = cast(shown, BigInteger)
    through_key = select("key:" + cast(ApiKey.id, Text)).where(ApiKey.customer_id == Order.customer_id)
    is_caller = or_(kept.caller == "customer:" + cast(Order.customer_id, Text), kept.caller.in_(through_key))
    is_there = select(Order.id).where(Order.id == order_id, is_caller)
    return select(kept.id).where(order_id.is_not(None), ~is_there.exists())


def _wrong_promises() -> Select[int]:
    """Weigh what the lines of each order still need, per variant, against what the ledger says it holds.

    Stock under the name of an order that does not exist is found too.
    """
    line, movement = OrderLine, StockMovement
    needed = (
        select(line.order_id, line.variant_id, (line.quantity - line.fulfilled).label("pieces"))
        .join(Order, Order.id == line.order_id)
        .where(Order.status == OrderStatus.PLACED)
    )
    holder = cast(func.substr(movement.reference, len(ORDER) + 1), BigInteger)
    held = (
        select(holder, StockLevel.variant_id, -movement.allocated_delta)
        .join(StockLevel, StockLevel.id == movement.stock_level_id)
        .where(_is_of_order(movement.reference))
    )
    both = union_all(needed, held).subquery()
    return (
        select(both.c.order_id)
        .group_by(both.c.order_id, both.c.variant_id)
        .having(func.sum(both.c.pieces) != 0)
        .distinct()
    )


def _is_of_order(reference: InstrumentedAttribute[str | None]) -> ColumnElement[bool]:
    """Tell whether a movement's reference is that of an order: without its last digits, `order:` is left."""
    longest = len(ORDER) + MAX_DIGITS
    return and_(func.rtrim(reference, "0123456789") == ORDER, func.length(reference).between(len(ORDER) + 1, longest))


def _unanswered_requests() -> Select[int]:
    return select(IdempotencyKey.id).where(IdempotencyKey.status.is_(None))


def _mistaken_identities() -> Select[int]:
    order, other = Order, aliased(Order)
    twice = select(other.id).where(other.id != order.id)
    same_number, same_cart = twice.where(other.number == order.number), twice.where(other.cart_id == order.cart_id)
    open_cart = select(Cart.id).where(Cart.id == order.cart_id, Cart.completed_at.is_(None))
    unnumbered = and_(order.status != OrderStatus.DRAFT, order.number.is_(None))
    return select(order.id).where(or_(unnumbered, same_number.exists(), same_cart.exists(), open_cart.exists()))


def _lost_carts() -> Select[int]:
    became = select(Order.id).where(Order.cart_id == Cart.id)
    return select(Cart.id).where(Cart.completed_at.is_not(None), ~became.exists())


def _misplaced_staff() -> Select[int]:
    has_role = select(RoleGrant.id).where(RoleGrant.customer_id == Customer.id).exists()
    return select(Customer.id).where((Customer.role == Role.STAFF) != has_role)
