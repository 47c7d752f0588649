"""Named reads of products with their stock. Each is one statement."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Integer, Select, bindparam, select

from flaskart.catalog.errors import ProductNotFound
from flaskart.catalog.models import CatalogVersion, Product, ProductStatus, Variant
from flaskart.catalog.queries import id_or_slug, lock_product
from flaskart.inventory.queries import available_stock, lock_levels
from flaskart.kit.db import Session
from flaskart.kit.paging import Page, decode_cursor, page_of


class VariantListing(NamedTuple):
    id: int
    sku: str
    price_minor: int
    currency: str
    stock: int


class Listing(NamedTuple):
    """A product as the shop shows it; the first variant is the default one."""

    id: int
    name: str
    slug: str
    description: str
    created_at: datetime
    updated_at: datetime
    variants: Sequence[VariantListing]
    version: int


# What listings show, as far as it can change: the catalogue's version, and what there is of each variant.
State = list[tuple[int, int, int]]


def list_listings(session: Session, *, limit: int, after: str | None) -> Page[Listing]:
    """Return a page of published products in the order they were added."""
    last_id = 0 if after is None else decode_cursor(after)
    listings = _read(session, _PAGE, {"after": last_id, "rows": limit + 1})
    return page_of(listings, limit, key=lambda listing: listing.id)


def state_of(listings: Sequence[Listing]) -> State:
    """Return the state that listings show."""
    return [(listing.version, variant.id, variant.stock) for listing in listings for variant in listing.variants]


def current_state(session: Session, first_id: int, last_id: int) -> State:
    """Return the state of the published products from one id to another, without reading all of them."""
    if first_id == last_id:
        rows = session.send(_STATE_OF_ONE, {"product_id": first_id}).all()
    else:
        rows = session.send(_STATE, {"first_id": first_id, "last_id": last_id}).all()
    return [(version, variant_id, max(stock, 0)) for version, variant_id, stock in rows]


def get_listing(session: Session, name: str) -> Listing:
    """Return a published product by its slug or, when `name` is a number, by its id.

    Raises:
        ProductNotFound: no such product, or not published.
    """
    wanted = id_or_slug(name)
    found = _read(session, _BY_ID if isinstance(wanted, int) else _BY_SLUG, {"wanted": wanted})
    if not found:
        raise ProductNotFound
    return found[0]


def lock_listing(session: Session, name: str, *, keeps_keys: bool = False) -> Product:
    """Return a product with its variants; neither they nor their stock change until the transaction ends.

    Who `keeps_keys`, removing nothing and changing no slug or SKU, need not wait for orders of it.

    Raises:
        ProductNotFound: no such id or slug, or archived.
    """
    product = lock_product(session, name, keeps_keys=keeps_keys)
    lock_levels(session, [variant.id for variant in product.variants])
    return product


def _read(session: Session, statement: Select[Any], parameters: dict[str, Any]) -> list[Listing]:
    rows_of: dict[int, list[tuple[Any, ...]]] = {}
    for row in session.send(statement, parameters).all():
        rows_of.setdefault(row[0], []).append(row)
    return [_listing(rows) for rows in rows_of.values()]


def _listing(rows: Sequence[tuple[Any, ...]]) -> Listing:
    variants = [
        VariantListing(id_, sku, price_minor, currency, max(stock, 0))
        for *_, id_, sku, price_minor, currency, stock in rows
    ]
    id_, name, slug, description, created_at, updated_at, version = rows[0][:7]
    return Listing(id_, name, slug, description, created_at, updated_at, variants, version)


def _with_variants(products: Select[Product]) -> Select[Any]:
    product = products.subquery().c
    return (
        select(
            product.id,
            product.name,
            product.slug,
            product.description,
            product.created_at,
            product.updated_at,
            _VERSION,
            Variant.id,
            Variant.sku,
            Variant.price_minor,
            Variant.currency,
            available_stock(Variant.id),
        )
        .join(Variant, Variant.product_id == product.id)
        .order_by(product.id, Variant.position)
    )


# Put together once: building them takes longer than running them.
_VERSION = select(CatalogVersion.version).scalar_subquery()
_PUBLISHED = select(Product).where(Product.status == ProductStatus.PUBLISHED)
_PAGE = _with_variants(
    _PUBLISHED.where(Product.id > bindparam("after")).order_by(Product.id).limit(bindparam("rows", type_=Integer))
)
_BY_ID = _with_variants(_PUBLISHED.where(Product.id == bindparam("wanted")))
_BY_SLUG = _with_variants(_PUBLISHED.where(Product.slug == bindparam("wanted")))
_STATE_OF_ALL = (
    select(_VERSION, Variant.id, available_stock(Variant.id))
    .join(Product, Product.id == Variant.product_id)
    .where(Product.status == ProductStatus.PUBLISHED)
    .order_by(Product.id, Variant.position)
)
_STATE = _STATE_OF_ALL.where(Product.id.between(bindparam("first_id"), bindparam("last_id")))
# How many a range has PostgreSQL can only guess, and so plans anew every time; one is one.
_STATE_OF_ONE = _STATE_OF_ALL.where(Product.id == bindparam("product_id"))
