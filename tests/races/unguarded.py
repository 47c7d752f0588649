"""The shop, each time with one of its guards taken out: what the race tests must be able to notice."""

from collections.abc import Sequence

from flask import Flask

from flaskart.app import wsgi as guarded_wsgi
from flaskart.checkout import actions as checkout
from flaskart.inventory.actions import Demand
from flaskart.inventory.errors import InsufficientStock
from flaskart.inventory.models import StockLevel
from flaskart.kit.db import Session


def stock() -> Flask:
    """Enough stock is looked for, then taken."""
    checkout.allocate = check_then_take  # type: ignore[attr-defined]
    return guarded_wsgi()


def check_then_take(session: Session, demands: Sequence[Demand], reference: str) -> None:
    """Read the stock, look whether there is enough, write it back less: the classic mistake."""
    for demand in demands:
        level = session.query(StockLevel).filter_by(variant_id=demand.variant_id).one()
        if level.on_hand - level.allocated < demand.quantity:
            raise InsufficientStock(lines=[{"wanted": demand.quantity, "available": level.on_hand - level.allocated}])
        level.allocated += demand.quantity
    session.flush()
