"""R3: the same shop, but placing an order begins by locking the stock rows with SELECT … FOR UPDATE."""

from decimal import Decimal

from flask import Flask
from sqlalchemy import bindparam, select

from flaskart.app import wsgi as shop_wsgi
from flaskart.cart.models import Cart, CartLine
from flaskart.checkout import actions
from flaskart.inventory.models import StockLevel
from flaskart.kit.actor import Actor
from flaskart.kit.db import Session
from flaskart.orders.queries import OrderInFull

_place_order = actions.place_order


def place_order(session: Session, actor: Actor, *, expected_total: Decimal | None = None) -> OrderInFull:
    session.send(_LOCK, {"customer_id": actor.customer_id}).all()
    return _place_order(session, actor, expected_total=expected_total)


def wsgi() -> Flask:
    actions.place_order = place_order
    return shop_wsgi()


_IN_CART = (
    select(CartLine.variant_id)
    .join(Cart, Cart.id == CartLine.cart_id)
    .where(Cart.customer_id == bindparam("customer_id"), Cart.completed_at.is_(None))
)
_LOCK = select(StockLevel.id).where(StockLevel.variant_id.in_(_IN_CART)).order_by(StockLevel.id).with_for_update()
