"""Tables of the orders room."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from flaskart.kit.tables import PERSONAL, Id, Table


class OrderStatus(StrEnum):
    DRAFT = "draft"
    PLACED = "placed"
    CANCELED = "canceled"


class PaymentStatus(StrEnum):
    NONE = "none"
    PENDING = "pending"
    AUTHORIZED = "authorized"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    VOIDED = "voided"


class FulfillmentStatus(StrEnum):
    UNFULFILLED = "unfulfilled"
    PARTIAL = "partial"
    FULFILLED = "fulfilled"
    DELIVERED = "delivered"
    CANCELED = "canceled"


class ReturnStatus(StrEnum):
    NONE = "none"
    REQUESTED = "requested"
    IN_PROGRESS = "in_progress"
    PARTIALLY_RETURNED = "partially_returned"
    RETURNED = "returned"


class EventKind(StrEnum):
    PLACED = "placed"
    CANCELED = "canceled"


def one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(value.value) for value in values)})", name=column)


class Order(Table):
    """An order with copies of all it agreed on: nothing that happens to products or accounts changes it.

    But what it says of a person is replaced when that person is erased; lines, amounts and times stay, for the books.

    A cart becomes one order at most. Amounts are in minor units; the parts are signed and add up to the total.
    """

    __tablename__ = "order"
    __table_args__ = (
        UniqueConstraint("number"),
        UniqueConstraint("cart_id"),
        one_of("status", OrderStatus),
        one_of("payment_status", PaymentStatus),
        one_of("fulfillment_status", FulfillmentStatus),
        one_of("return_status", ReturnStatus),
        CheckConstraint(
            "total_minor >= 0 AND total_minor = subtotal_minor + discount_total_minor + shipping_total_minor"
            " + tax_total_minor",
            name="total",
        ),
        Index("ix_order_customer_id_id", "customer_id", "id"),
        Index("ix_order_status_id", "status", "id"),
        Index("ix_order_payment_status_id", "payment_status", "id"),
        Index("ix_order_fulfillment_status_id", "fulfillment_status", "id"),
    )

    id: Mapped[Id]
    number: Mapped[str | None] = mapped_column(String(40))
    cart_id: Mapped[int]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    email: Mapped[str] = mapped_column(String(254), info=PERSONAL)
    currency: Mapped[str] = mapped_column(String(3))
    status: Mapped[str] = mapped_column(String(20))
    payment_status: Mapped[str] = mapped_column(String(20))
    fulfillment_status: Mapped[str] = mapped_column(String(20))
    return_status: Mapped[str] = mapped_column(String(20))
    items_count: Mapped[int]
    subtotal_minor: Mapped[int]
    discount_total_minor: Mapped[int]
    shipping_total_minor: Mapped[int]
    tax_total_minor: Mapped[int]
    total_minor: Mapped[int]
    placed_at: Mapped[datetime]
    canceled_at: Mapped[datetime | None]

    lines: Mapped[list["OrderLine"]] = relationship(order_by="OrderLine.position", lazy="raise")


class OrderLine(Table):
    """What was ordered, as it was named and priced then. The variant stays, archived perhaps, as long as the line."""

    __tablename__ = "order_line"
    __table_args__ = (
        UniqueConstraint("order_id", "position"),
        CheckConstraint(
            "quantity > 0 AND fulfilled BETWEEN 0 AND quantity AND delivered BETWEEN 0 AND quantity"
            " AND returned BETWEEN 0 AND quantity AND canceled BETWEEN 0 AND quantity",
            name="counters",
        ),
        CheckConstraint("total_minor = unit_price_minor * quantity", name="total"),
    )

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(ForeignKey("order.id"))
    position: Mapped[int]
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id"), index=True)
    variant_id: Mapped[int] = mapped_column(ForeignKey("variant.id"), index=True)
    sku: Mapped[str] = mapped_column(String(64))
    product_name: Mapped[str] = mapped_column(String(200))
    unit_price_minor: Mapped[int]
    quantity: Mapped[int]
    total_minor: Mapped[int]
    fulfilled: Mapped[int]
    delivered: Mapped[int]
    returned: Mapped[int]
    canceled: Mapped[int]


class OrderEvent(Table):
    """One thing that happened to an order, and whose doing it was."""

    __tablename__ = "order_event"
    __table_args__ = (one_of("kind", EventKind),)

    id: Mapped[Id]
    order_id: Mapped[int] = mapped_column(ForeignKey("order.id"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    created_at: Mapped[datetime]
