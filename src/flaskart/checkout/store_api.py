"""The shopper's door to checkout."""

from flask import Response

from flaskart.accounts.errors import AccountNotFound, SpendCapReached
from flaskart.cart.errors import CartEmpty, CurrencyMismatch
from flaskart.checkout import actions
from flaskart.checkout.errors import TotalChanged
from flaskart.checkout.schemas import OrderPlaced, PlaceOrder
from flaskart.inventory.errors import InsufficientStock
from flaskart.kit.actor import Actor
from flaskart.web.auth import shopper
from flaskart.web.http import show
from flaskart.web.idempotency import writing
from flaskart.web.openapi import answers, door

api = door("checkout", __name__, "/orders", "orders", "What one has ordered.")


@api.post(
    "",
    responses=answers(
        OrderPlaced,
        AccountNotFound,
        CartEmpty,
        CurrencyMismatch,
        TotalChanged,
        SpendCapReached,
        InsufficientStock,
        status=201,
    ),
)
@shopper
def place_order(actor: Actor, body: PlaceOrder) -> Response:
    """Order what is in the cart, which is empty afterwards.

    A lost answer is not a second order when the request carries an `Idempotency-Key`.
    """
    with writing() as session:
        return show(OrderPlaced.of(actions.place_order(session, actor, expected_total=body.expected_total)), 201)
