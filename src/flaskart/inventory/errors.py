"""How dealing with stock can fail."""

from flaskart.kit.errors import Conflict


class InsufficientStock(Conflict):
    code = "insufficient_stock"
    message = "There is not enough stock"
