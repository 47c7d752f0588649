"""The shopper's door to the cart."""

from flask import Response

from flaskart.cart import actions, queries
from flaskart.cart.errors import CartFull, CurrencyMismatch, NotInCart
from flaskart.cart.schemas import AddItem, CartChanged, CartPath, CartShown, SetQuantity
from flaskart.catalog.errors import VariantNotFound
from flaskart.inventory.errors import InsufficientStock
from flaskart.kit.actor import Actor
from flaskart.web.auth import shopper
from flaskart.web.http import db, shop, show
from flaskart.web.idempotency import writing
from flaskart.web.openapi import answers, door

api = door("cart", __name__, "/cart", "cart", "What one means to buy.")


@api.get("", responses=answers(CartShown))
@shopper
def view_cart(actor: Actor) -> Response:
    """View one's cart."""
    with db().read() as session:
        return show(CartShown.of(queries.list_lines(session, actor), shop().settings.currency))


@api.post("", responses=answers(CartChanged, VariantNotFound, InsufficientStock, CartFull, CurrencyMismatch))
@shopper
def add_to_cart(actor: Actor, body: AddItem) -> Response:
    """Add a product to the cart, or raise its quantity."""
    currency = shop().settings.currency
    with writing() as session:
        cart = actions.add_item(session, actor, currency=currency, **body.model_dump())
        return show(CartChanged.after("Product added to cart", queries.list_lines_of(session, cart), currency))


@api.patch("/<id:product_id>", responses=answers(CartChanged, NotInCart, VariantNotFound, InsufficientStock))
@shopper
def change_quantity(actor: Actor, path: CartPath, body: SetQuantity) -> Response:
    """Change how many of a product are in the cart."""
    with writing() as session:
        cart = actions.set_quantity(session, actor, path.product_id, body.quantity)
        return show(CartChanged.after("Cart updated", queries.list_lines_of(session, cart), cart.currency))


@api.delete("/<id:product_id>", responses=answers(CartChanged, NotInCart))
@shopper
def remove_from_cart(actor: Actor, path: CartPath) -> Response:
    """Take a product out of the cart."""
    with writing() as session:
        cart = actions.remove_item(session, actor, path.product_id)
        return show(CartChanged.after("Product removed from cart", queries.list_lines_of(session, cart), cart.currency))


@api.delete("/clear", responses=answers(CartChanged))
@shopper
def clear_cart(actor: Actor) -> Response:
    """Empty the cart."""
    with writing() as session:
        actions.clear_cart(session, actor)
        return show(CartChanged.after("Cart cleared", [], shop().settings.currency))
