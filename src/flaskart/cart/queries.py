"""Named reads of the cart room."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from flaskart.cart.models import Cart, CartLine
from flaskart.catalog.errors import VariantNotFound
from flaskart.catalog.models import Product, ProductStatus, Variant
from flaskart.inventory.queries import sellable_stock
from flaskart.kit.actor import Actor


@dataclass(frozen=True, slots=True)
class Line:
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
    return _lines(session, Cart.customer_id == actor.customer_id, Cart.completed_at.is_(None))


def list_lines_of(session: Session, cart: Cart) -> Sequence[Line]:
    """Return the lines of a cart in the order they were added."""
    return _lines(session, Cart.id == cart.id)


def get_offer(
    session: Session,
    cart: Cart,
    *,
    product_id: int | None = None,
    variant_id: int | None = None,
    sku: str | None = None,
) -> Offer:
    """Return a published variant, named by itself, its SKU, or its product, whose default variant is meant.

    Raises:
        VariantNotFound: no such thing, or not for sale.
    """
    in_cart = select(CartLine.quantity).where(CartLine.cart_id == cart.id, CartLine.variant_id == Variant.id)
    line_count = select(func.count()).where(CartLine.cart_id == cart.id)
    offer = (
        select(
            Variant.id,
            Variant.currency,
            sellable_stock(Variant.id),
            func.coalesce(in_cart.scalar_subquery(), 0),
            line_count.scalar_subquery(),
        )
        .join(Product)
        .where(Product.status == ProductStatus.PUBLISHED)
        .order_by(Variant.position)
        .limit(1)
    )
    row = session.execute(_named(offer, product_id, variant_id, sku)).one_or_none()
    if row is None:
        raise VariantNotFound
    return Offer(*row)


def _named(
    offer: Select[int, str, int, int, int], product_id: int | None, variant_id: int | None, sku: str | None
) -> Select[int, str, int, int, int]:
    if variant_id is not None:
        return offer.where(Variant.id == variant_id)
    if sku is not None:
        return offer.where(Variant.sku == sku)
    return offer.where(Variant.product_id == product_id)


def _lines(session: Session, *conditions: ColumnElement[bool]) -> Sequence[Line]:
    rows: Iterable[Any] = session.execute(
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
    return [Line(*row) for row in rows]
