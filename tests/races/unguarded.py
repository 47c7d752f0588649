"""The shop, each time with one of its guards taken out: what the race tests must be able to notice."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Flask, g
from sqlalchemy.dialects.postgresql import insert

from flaskart.app import wsgi as guarded_wsgi
from flaskart.checkout import actions as checkout
from flaskart.inventory.actions import Demand
from flaskart.inventory.errors import InsufficientStock
from flaskart.inventory.models import StockLevel
from flaskart.kit import clock
from flaskart.kit.db import Session
from flaskart.web import idempotency
from flaskart.web.idempotency import IdempotencyKey


def stock() -> Flask:
    """Enough stock is looked for, then taken."""
    checkout.allocate = check_then_take  # type: ignore[attr-defined]
    return guarded_wsgi()


def keys() -> Flask:
    """An `Idempotency-Key` is looked for at the beginning and written down at the end."""
    idempotency._claim = look_for_key  # type: ignore[assignment]
    return guarded_wsgi()


def check_then_take(session: Session, demands: Sequence[Demand], reference: str) -> None:
    """Read the stock, look whether there is enough, write it back less: the classic mistake."""
    for demand in demands:
        level = session.query(StockLevel).filter_by(variant_id=demand.variant_id).one()
        if level.on_hand - level.allocated < demand.quantity:
            raise InsufficientStock(lines=[{"wanted": demand.quantity, "available": level.on_hand - level.allocated}])
        level.allocated += demand.quantity
    session.flush()


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

    def keep(self, status: int, body: bytes) -> None:
        values: dict[str, object] = {"caller": self.caller, "key": self.key, "fingerprint": idempotency._fingerprint()}
        values |= {"status": status, "body": body, "created_at": clock.now()}
        self.session.execute(insert(IdempotencyKey).values(values).on_conflict_do_nothing())
