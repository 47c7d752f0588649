"""Named reads of the cart room."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, func, select
from sqlalchemy.orm import InstrumentedAttribute

from flaskart.cart.models import Cart, CartLine
from flaskart.catalog.errors import VariantNotFound
from flaskart.catalog.models import Product, ProductStatus, Variant
from flaskart.inventory.queries import sellable_stock
from flaskart.kit.actor import Actor
from flaskart.kit.db import Session
from flaskart.kit.personal import Sections, records


@dataclass(frozen=True, slots=True)
class OpenCart:
    """A cart that is held by the open transaction."""

    id: int
    currency: str


class Line(NamedTuple):
    """A cart line with what is needed to show, price and order it. `sellable` is 0 once the product is withdrawn."""

    line_id: int
    product_id: int
    variant_id: int
    sku: str
    name: str
    quantity: int
    unit_price_minor: int
    currency: str
    is_for_sale: bool
    sellable: int


@dataclass(frozen=True, slots=True)
class Offer:
    """A variant that can be put in a cart, and how many of it the cart holds already."""

    variant_id: int
    currency: str
    sellable: int
    in_cart: int
    line_count: int


def list_lines(session: Session, actor: Actor) -> Sequence[Line]:
    """Return the lines of the actor's open cart in the order they were added; none when there is no cart."""
    return [Line._make(row) for row in session.send(_LINES_OF_CUSTOMER, {"customer_id": actor.customer_id}).all()]


def list_lines_of(session: Session, cart: OpenCart) -> Sequence[Line]:
    """Return the lines of a cart in the order they were added."""
    return [Line._make(row) for row in session.send(_LINES_OF_CART, {"cart_id": cart.id}).all()]


def get_offer(
    session: Session,
    cart_id: int,
    *,
    product_id: int | None = None,
    variant_id: int | None = None,
    sku: str | None = None,
) -> Offer:
    """Return a published variant, named by itself, its SKU, or its product, whose default variant is meant.

    Raises:
        VariantNotFound: no such thing, or not for sale.
    """
    if variant_id is not None:
        row = session.send(_OFFER_BY_ID, {"cart_id": cart_id, "name": variant_id}).one_or_none()
    elif sku is not None:
        row = session.send(_OFFER_BY_SKU, {"cart_id": cart_id, "name": sku}).one_or_none()
    else:
        row = session.send(_OFFER_BY_PRODUCT, {"cart_id": cart_id, "name": product_id}).one_or_none()
    if row is None:
        raise VariantNotFound
    return Offer(*row)


def find_line(session: Session, cart_id: int, product_id: int) -> tuple[int, int] | None:
    """Return the ids of a product's first line in a cart and of that line's variant."""
    row = session.send(_LINE_OF_PRODUCT, {"cart_id": cart_id, "product_id": product_id}).one_or_none()
    return None if row is None else (row.id, row.variant_id)


def personal_data_of(session: Session, customer_id: int) -> Sections:
    """Return a person's carts, the open one and those that became orders."""
    return {"carts": records(session, Cart, Cart.customer_id == customer_id, lines=CartLine.cart_id)}


def _offer(name: InstrumentedAttribute[Any]) -> Select[*tuple[Any, ...]]:
    in_cart = select(CartLine.quantity).where(
        CartLine.cart_id == bindparam("cart_id"), CartLine.variant_id == Variant.id
    )
    line_count = select(func.count()).where(CartLine.cart_id == bindparam("cart_id"))
    return (
        select(
            Variant.id,
            Variant.currency,
            sellable_stock(Variant.id),
            func.coalesce(in_cart.scalar_subquery(), 0),
            line_count.scalar_subquery(),
        )
        .join(Product)
        .where(Product.status == ProductStatus.PUBLISHED, name == bindparam("name"))
        .order_by(Variant.position)
        .limit(1)
    )


def _lines(*conditions: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            CartLine.id,
            Product.id,
            Variant.id,
            Variant.sku,
            Product.name,
            CartLine.quantity,
            Variant.price_minor,
            Variant.currency,
            Product.status == ProductStatus.PUBLISHED,
            sellable_stock(Variant.id),
        )
        .select_from(Cart)
        .join(CartLine, CartLine.cart_id == Cart.id)
        .join(Variant, Variant.id == CartLine.variant_id)
        .join(Product, Product.id == Variant.product_id)
        .where(*conditions)
        .order_by(CartLine.id)
    )


# Put together once: building them takes longer than running them.
_LINES_OF_CUSTOMER = _lines(Cart.customer_id == bindparam("customer_id"), Cart.completed_at.is_(None))
_LINES_OF_CART = _lines(Cart.id == bindparam("cart_id"))
_OFFER_BY_ID = _offer(Variant.id)
_OFFER_BY_SKU = _offer(Variant.sku)
_OFFER_BY_PRODUCT = _offer(Variant.product_id)
_LINE_OF_PRODUCT = (
    select(CartLine.id, CartLine.variant_id)
    .join(Variant, Variant.id == CartLine.variant_id)
    .where(CartLine.cart_id == bindparam("cart_id"), Variant.product_id == bindparam("product_id"))
    .order_by(CartLine.id)
    .limit(1)
)
