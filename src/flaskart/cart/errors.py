"""How dealing with a cart can fail."""

from flaskart.kit.errors import BadRequest, Conflict, NotFound


class CartEmpty(BadRequest):
    code = "cart_empty"
    message = "Cart is empty"


class CartFull(Conflict):
    code = "cart_full"
    message = "The cart holds as many different products as it can"


class NotInCart(NotFound):
    code = "not_in_cart"
    message = "Product not in cart"


class CurrencyMismatch(Conflict):
    code = "currency_mismatch"
    message = "The product is sold in another currency than the cart's"
