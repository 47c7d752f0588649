"""How dealing with an order can fail."""

from flaskart.kit.errors import Conflict, NotFound


class OrderNotFound(NotFound):
    code = "order_not_found"
    message = "Order not found"


class InvalidTransition(Conflict):
    code = "invalid_transition"
    message = "The order cannot change that way any more"
