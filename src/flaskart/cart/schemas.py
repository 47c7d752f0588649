"""Public JSON of the cart room."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from flaskart.cart.models import MAX_QUANTITY
from flaskart.cart.queries import Line
from flaskart.catalog.models import MAX_SKU
from flaskart.kit.money import to_major
from flaskart.kit.paging import MAX_ID
from flaskart.pricing.totals import add_up
from flaskart.web.fields import Amount, Input, NoControls

Quantity = Annotated[int, Field(ge=1, le=MAX_QUANTITY, examples=[2])]
RowId = Annotated[int, Field(ge=1, le=MAX_ID)]


class AddItem(Input):
    """What to add: exactly one of product (its default variant is meant), variant or SKU."""

    product_id: RowId | None = None
    variant_id: RowId | None = None
    sku: Annotated[str, Field(min_length=1, max_length=MAX_SKU), NoControls] | None = None
    quantity: Quantity = 1

    @model_validator(mode="after")
    def _one_name(self) -> "AddItem":
        if [self.product_id, self.variant_id, self.sku].count(None) != 2:
            raise PydanticCustomError("cart_item", "Give exactly one of product_id, variant_id and sku")
        return self


class SetQuantity(Input):
    quantity: Quantity


class CartPath(BaseModel):
    product_id: int


@dataclass(slots=True)
class CartLineOut:
    """`price` is for one piece. `available` is how many the shop could sell now, at most what a line may hold."""

    product_id: int
    variant_id: int
    sku: str
    name: str
    quantity: int
    price: Amount
    total: Amount
    available: int
    is_available: bool

    @classmethod
    def of(cls, line: Line) -> "CartLineOut":
        available = min(max(line.sellable, 0), MAX_QUANTITY) if line.is_for_sale else 0
        return cls(
            product_id=line.product_id,
            variant_id=line.variant_id,
            sku=line.sku,
            name=line.name,
            quantity=line.quantity,
            price=to_major(line.unit_price_minor, line.currency),
            total=to_major(line.unit_price_minor * line.quantity, line.currency),
            available=available,
            is_available=line.quantity <= available,
        )


class CartShown(BaseModel):
    cart: list[CartLineOut]
    items_count: int
    subtotal: Amount
    total: Amount
    currency: str

    @classmethod
    def of(cls, lines: Sequence[Line], currency: str) -> "CartShown":
        """Show lines; `currency` is that of an empty cart."""
        currency = lines[0].currency if lines else currency
        totals = add_up((line.unit_price_minor, line.quantity) for line in lines)
        return cls(
            cart=[CartLineOut.of(line) for line in lines],
            items_count=sum(line.quantity for line in lines),
            subtotal=to_major(totals.subtotal_minor, currency),
            total=to_major(totals.total_minor, currency),
            currency=currency,
        )


class CartChanged(CartShown):
    msg: str

    @classmethod
    def after(cls, msg: str, lines: Sequence[Line], currency: str) -> "CartChanged":
        return cls(msg=msg, **dict(CartShown.of(lines, currency)))
