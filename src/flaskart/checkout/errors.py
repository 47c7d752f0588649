"""How placing an order can fail, besides what cart and stock refuse."""

from flaskart.kit.errors import Conflict


class TotalChanged(Conflict):
    code = "total_changed"
    message = "The total is not what you expected"
