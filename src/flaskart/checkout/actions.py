"""Placing an order: the one flow that needs cart, stock and orders together."""

from decimal import Decimal

from flaskart.accounts.actions import spend
from flaskart.accounts.queries import get_email
from flaskart.cart.actions import complete_cart
from flaskart.cart.errors import CartEmpty, CurrencyMismatch
from flaskart.cart.queries import Line, list_lines_of
from flaskart.checkout.errors import TotalChanged
from flaskart.inventory.actions import Demand, allocate
from flaskart.kit.actor import Actor
from flaskart.kit.db import Session
from flaskart.kit.jobs import enqueue
from flaskart.kit.money import to_major
from flaskart.orders.actions import Agreed, record_order, stock_reference
from flaskart.orders.queries import OrderInFull


def place_order(session: Session, actor: Actor, *, expected_total: Decimal | None = None) -> OrderInFull:
    """Turn the actor's cart into an order at today's prices and promise its stock; the cart is empty afterwards.

    The number of statements does not depend on the number of lines. Accounts are locked before carts, stock comes last.
    That the customer gets mail is decided in the same transaction.

    Raises:
        AccountNotFound: erased a moment ago.
        CartEmpty: there is nothing to order.
        CurrencyMismatch: a product was repriced in another currency since it was put in the cart.
        TotalChanged: `expected_total`, in major units, is not the total.
        SpendCapReached: the actor's key may not spend so much.
        InsufficientStock: `lines` names what there is not enough of.
    """
    email = get_email(session, actor)
    cart = complete_cart(session, actor)
    lines = list_lines_of(session, cart)
    if not lines:
        raise CartEmpty
    for line in lines:
        if line.currency != cart.currency:
            raise CurrencyMismatch(cart_currency=cart.currency, product_currency=line.currency)
    agreed = [_agreed(line) for line in lines]
    placed = record_order(session, actor, cart_id=cart.id, email=email, currency=cart.currency, lines=agreed)
    total = to_major(placed.order.total_minor, cart.currency)
    if expected_total is not None and expected_total != total:
        raise TotalChanged(total=total, expected_total=expected_total, currency=cart.currency)
    if actor.has_spend_cap:
        spend(session, actor, placed.order.total_minor, cart.currency)
    enqueue(session, "mail.order_placed", {"order_id": placed.order.id})
    allocate(session, [_demand(line) for line in lines], reference=stock_reference(placed.order.id))
    return placed


def _agreed(line: Line) -> Agreed:
    return Agreed(
        product_id=line.product_id,
        variant_id=line.variant_id,
        sku=line.sku,
        product_name=line.name,
        unit_price_minor=line.unit_price_minor,
        quantity=line.quantity,
    )


def _demand(line: Line) -> Demand:
    return Demand(
        variant_id=line.variant_id,
        product_id=line.product_id,
        name=line.name,
        quantity=line.quantity,
        is_for_sale=line.is_for_sale,
    )
