"""The shop, each time with one of its guards taken out: what the race tests must be able to notice."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask, g
from sqlalchemy import Engine, event, update
from sqlalchemy.dialects.postgresql import insert

from flaskart.app import wsgi as guarded_wsgi
from flaskart.cart import actions as cart_actions
from flaskart.cart.errors import CartEmpty
from flaskart.cart.models import Cart, CartLine
from flaskart.cart.queries import OpenCart
from flaskart.catalog import actions as catalog
from flaskart.catalog.errors import SlugTaken
from flaskart.catalog.models import Product, Variant
from flaskart.checkout import actions as checkout
from flaskart.inventory.actions import Demand
from flaskart.inventory.errors import InsufficientStock
from flaskart.inventory.models import MovementKind, StockLevel, StockMovement
from flaskart.kit import audit, clock
from flaskart.kit.actor import Actor
from flaskart.kit.db import Session
from flaskart.listings import actions as listings
from flaskart.orders.queries import OrderInFull
from flaskart.web import counters as counters_module
from flaskart.web import idempotency
from flaskart.web.counters import Counted, DatabaseCounters, Full, RateCounter
from flaskart.web.http import shop
from flaskart.web.idempotency import IdempotencyKey

guarded_place_order = checkout.place_order
guarded_add = DatabaseCounters.add
guarded_add_product = catalog.add_product


def stock() -> Flask:
    """Enough stock is looked for, then taken."""
    checkout.allocate = check_then_take  # type: ignore[attr-defined]
    return guarded_wsgi()


def lock_order() -> Flask:
    """Stock is taken line by line, in the order in which the lines came into the cart."""
    checkout.allocate = take_line_by_line  # type: ignore[attr-defined]
    return guarded_wsgi()


def keys() -> Flask:
    """An `Idempotency-Key` is looked for at the beginning and written down at the end."""
    idempotency._claim = look_for_key  # type: ignore[assignment]
    return guarded_wsgi()


def cart_lock() -> Flask:
    """Two changes of a cart may read the same quantity."""
    cart_actions.add_item = read_then_add  # type: ignore[assignment]
    return guarded_wsgi()


def completion() -> Flask:
    """A cart is closed after its lines were ordered."""
    checkout.complete_cart = find_cart  # type: ignore[attr-defined]
    checkout.place_order = order_then_complete
    return guarded_wsgi()


def row_locks() -> Flask:
    """Nothing is locked when it is read, stock is read before it is corrected, a slug is looked for, then taken."""
    event.listen(Engine, "before_cursor_execute", without_row_locks, retval=True)
    listings.edit_listing = read_then_correct
    catalog.add_product = look_then_add
    return guarded_wsgi()


def attempts() -> Flask:
    """Tries are counted when they are found to be few enough."""
    DatabaseCounters.add = check_then_count  # type: ignore[method-assign, assignment]
    return guarded_wsgi()


def check_then_count(counters: DatabaseCounters, keys: Sequence[str], limit: int, seconds: int) -> Counted | Full:
    digests = [counters_module._digest(counters._secret, key) for key in keys]
    with counters._db.read() as session:
        counts = session.query(RateCounter.count).filter(RateCounter.key.in_(digests)).all()
    if any(count >= limit for (count,) in counts):
        return Full(seconds)
    return guarded_add(counters, keys, limit * 10, seconds)


def audit_head() -> Flask:
    """Two entries of the audit log may follow the same one."""
    event.listen(Engine, "before_cursor_execute", without_lock_of_log, retval=True)
    return guarded_wsgi()


def check_then_take(session: Session, demands: Sequence[Demand], reference: str) -> None:
    """Read the stock, look whether there is enough, write it back less: the classic mistake."""
    for demand in demands:
        level = session.query(StockLevel).filter_by(variant_id=demand.variant_id).one()
        if level.on_hand - level.allocated < demand.quantity:
            raise InsufficientStock(lines=[{"wanted": demand.quantity, "available": level.on_hand - level.allocated}])
        level.allocated += demand.quantity
    session.flush()


def take_line_by_line(session: Session, demands: Sequence[Demand], reference: str) -> None:
    for demand in demands:
        taken = update(StockLevel).where(StockLevel.variant_id == demand.variant_id)
        taken = taken.where(StockLevel.on_hand - StockLevel.allocated >= demand.quantity)
        level_id = session.scalars(
            taken.values(allocated=StockLevel.allocated + demand.quantity).returning(StockLevel.id)
        ).one()
        record_movement(session, level_id, MovementKind.ALLOCATED, allocated=demand.quantity, reference=reference)


def look_for_key(session: Session, key: str) -> "LateClaim":
    caller = f"customer:{g.actor.customer_id}"
    if session.query(IdempotencyKey).filter_by(caller=caller, key=key).count():
        raise idempotency._used(session, caller, key)
    return LateClaim(session, caller, key)


@dataclass(frozen=True)
class LateClaim:
    session: Session
    caller: str
    key: str

    def keep(self, status: int, body: bytes, _about: int | None) -> None:
        fingerprint = idempotency._fingerprint(shop().secret)
        values: dict[str, object] = {"caller": self.caller, "key": self.key, "fingerprint": fingerprint}
        values |= {"status": status, "body": body, "created_at": clock.now()}
        self.session.execute(insert(IdempotencyKey).values(values).on_conflict_do_nothing())


def read_then_add(session: Session, actor: Actor, *, product_id: int, quantity: int, **_rest: object) -> OpenCart:
    """Read how many the actor's cart holds, write that and so many more."""
    cart = session.query(Cart).filter_by(customer_id=actor.customer_id, completed_at=None).one_or_none()
    if cart is None:
        now = clock.now()
        cart = Cart(customer_id=actor.customer_id, currency="USD", version=1, created_at=now, updated_at=now)
        session.add(cart)
        session.flush()
    variant = session.query(Variant).filter_by(product_id=product_id).one()
    line = session.query(CartLine).filter_by(cart_id=cart.id, variant_id=variant.id).one_or_none()
    if line is None:
        line = CartLine(cart_id=cart.id, variant_id=variant.id, quantity=0)
        session.add(line)
    line.quantity += quantity
    session.flush()
    return OpenCart(cart.id, cart.currency)


def find_cart(session: Session, actor: Actor) -> OpenCart:
    cart = session.query(Cart).filter_by(customer_id=actor.customer_id, completed_at=None).one_or_none()
    if cart is None:
        raise CartEmpty
    return OpenCart(cart.id, cart.currency)


def order_then_complete(session: Session, actor: Actor, **expected: Any) -> OrderInFull:
    placed = guarded_place_order(session, actor, **expected)
    session.execute(update(Cart).where(Cart.id == placed.order.cart_id).values(completed_at=clock.now()))
    return placed


def without_row_locks(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> tuple[str, Any]:
    if "audit_head" in statement:  # has a canary of its own
        return statement, parameters
    return re.sub(r"\sFOR (NO KEY )?UPDATE\b", "", statement), parameters


def without_lock_of_log(
    _connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any
) -> tuple[str, Any]:
    return statement.replace(" FOR UPDATE", "") if "audit_head" in statement else statement, parameters


def read_then_correct(session: Session, actor: Actor, product: Product, edit: listings.ListingEdit) -> None:
    level = session.query(StockLevel).filter_by(variant_id=product.default_variant.id).one()
    catalog.edit_product(session, product, edit.product)
    missing = 0 if edit.stock is None else edit.stock - (level.on_hand - level.allocated)
    if missing:
        level.on_hand += missing
        session.flush()
        record_movement(session, level.id, MovementKind.ADJUSTED, on_hand=missing)
    audit.record(session, actor, "product.updated", audit.Subject(listings.PRODUCT, product.id))


def look_then_add(session: Session, *, slug: str | None = None, **values: Any) -> Product:
    if slug is not None and session.query(Product).filter_by(slug=slug).count():
        raise SlugTaken
    return guarded_add_product(session, slug=slug, **values)


def record_movement(
    session: Session,
    level_id: int,
    kind: MovementKind,
    *,
    on_hand: int = 0,
    allocated: int = 0,
    reference: str | None = None,
) -> None:
    deltas = {"on_hand_delta": on_hand, "allocated_delta": allocated, "held_delta": 0}
    row = StockMovement(stock_level_id=level_id, kind=kind, reference=reference, created_at=clock.now(), **deltas)
    session.add(row)
    session.flush()
