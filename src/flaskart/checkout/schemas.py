"""Public JSON of the checkout room."""

from typing import Annotated

from pydantic import BaseModel, Field

from flaskart.orders.queries import OrderInFull
from flaskart.orders.schemas import OrderOut
from flaskart.web.fields import Amount, Input


class PlaceOrder(Input):
    """`expected_total`: place the order only if this is its total."""

    expected_total: Annotated[Amount, Field(ge=0)] | None = None


class OrderPlaced(BaseModel):
    msg: str
    order_id: int
    order: OrderOut

    @classmethod
    def of(cls, placed: OrderInFull) -> "OrderPlaced":
        return cls(msg="Order placed successfully", order_id=placed.order.id, order=OrderOut.of_all(placed))
