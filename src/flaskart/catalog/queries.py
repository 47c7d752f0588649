"""Named reads of the catalog room."""

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import selectinload

from flaskart.catalog.errors import ProductNotFound
from flaskart.catalog.models import Product, ProductStatus
from flaskart.kit.db import Session
from flaskart.kit.ids import random_code
from flaskart.kit.paging import MAX_ID


def lock_product(session: Session, name: str, *, keeps_keys: bool = False) -> Product:
    """Return a product with its variants, which nobody else changes until the transaction ends.

    Orders of the product that are under way are waited for first, so that whoever locks it and then its stock never
    meets one half way. That may take long, so who `keeps_keys` (neither removes it nor changes its slug or a SKU, all
    that orders hold on to) does not wait for them.

    Raises:
        ProductNotFound: no such id or slug, or archived.
    """
    chosen = select(Product).where(is_called(name), Product.status != ProductStatus.ARCHIVED)
    product = session.scalars(
        chosen.options(selectinload(Product.variants)).with_for_update(key_share=keeps_keys)
    ).one_or_none()
    if product is None:
        raise ProductNotFound
    return product


def is_called(name: str) -> ColumnElement[bool]:
    """Return the condition that a product has this slug or, when `name` is a number, this id."""
    wanted = id_or_slug(name)
    return Product.id == wanted if isinstance(wanted, int) else Product.slug == wanted


def id_or_slug(name: str) -> int | str:
    """Return the id that a number stands for, or else the slug; what no product can have becomes 0 or empty."""
    if name.isascii() and name.isdigit():
        return int(name) if len(name) < len(str(MAX_ID)) else 0
    return name if "\0" not in name else ""  # PostgreSQL refuses to look for NUL


def count_products(session: Session) -> int:
    """Return how many products there are, archived ones included."""
    return session.scalars(select(func.count()).select_from(Product)).one()


def free_slug(session: Session, slug: str) -> str:
    """Return `slug`, or, when it is taken, one with a random suffix."""
    is_taken = session.scalar(select(exists().where(Product.slug == slug)))
    return f"{slug}-{random_code(6).lower()}" if is_taken else slug
