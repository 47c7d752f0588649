"""Public JSON of the orders room."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel

from flaskart.kit.money import to_major
from flaskart.kit.paging import Page
from flaskart.orders.models import FulfillmentStatus, OrderStatus, PaymentStatus, ReturnStatus
from flaskart.orders.queries import LineRow, OrderInFull, OrderRow
from flaskart.web.fields import Amount, Pagination


class OrderPath(BaseModel):
    order_id: int


@dataclass(slots=True)
class OrderLineOut:
    """`price` is for one piece, as it was when the order was placed."""

    product_id: int
    variant_id: int
    sku: str
    product_name: str
    quantity: int
    price: Amount
    total: Amount

    @classmethod
    def of(cls, line: LineRow, currency: str) -> "OrderLineOut":
        return cls(
            product_id=line.product_id,
            variant_id=line.variant_id,
            sku=line.sku,
            product_name=line.product_name,
            quantity=line.quantity,
            price=to_major(line.unit_price_minor, currency),
            total=to_major(line.total_minor, currency),
        )


class OrderSummary(BaseModel):
    id: int
    number: str
    date: datetime
    status: OrderStatus
    payment_status: PaymentStatus
    fulfillment_status: FulfillmentStatus
    return_status: ReturnStatus
    items_count: int
    total: Amount
    currency: str

    @classmethod
    def of(cls, order: OrderRow) -> "OrderSummary":
        return cls(
            id=order.id,
            number=order.number or "",
            date=order.placed_at,
            status=OrderStatus(order.status),
            payment_status=PaymentStatus(order.payment_status),
            fulfillment_status=FulfillmentStatus(order.fulfillment_status),
            return_status=ReturnStatus(order.return_status),
            items_count=order.items_count,
            total=to_major(order.total_minor, order.currency),
            currency=order.currency,
        )


class OrderOut(OrderSummary):
    """An order in full. The four parts are signed and add up to `total`."""

    email: str
    canceled_at: datetime | None
    subtotal: Amount
    discount_total: Amount
    shipping_total: Amount
    tax_total: Amount
    items: list[OrderLineOut]

    @classmethod
    def of_all(cls, full: OrderInFull) -> "OrderOut":
        order = full.order
        return cls(
            **dict(OrderSummary.of(order)),
            email=order.email,
            canceled_at=order.canceled_at,
            subtotal=to_major(order.subtotal_minor, order.currency),
            discount_total=to_major(order.discount_total_minor, order.currency),
            shipping_total=to_major(order.shipping_total_minor, order.currency),
            tax_total=to_major(order.tax_total_minor, order.currency),
            items=[OrderLineOut.of(line, order.currency) for line in full.lines],
        )


class OrderShown(BaseModel):
    order: OrderOut


class OrderChanged(BaseModel):
    msg: str
    order: OrderOut


class OrderList(BaseModel):
    orders: list[OrderSummary]
    pagination: Pagination

    @classmethod
    def of(cls, page: Page[OrderRow]) -> "OrderList":
        return cls(orders=[OrderSummary.of(order) for order in page.rows], pagination=Pagination.of(page))
