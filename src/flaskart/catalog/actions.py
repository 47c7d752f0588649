"""What staff do with the catalogue."""

from collections.abc import Sequence
from dataclasses import dataclass

from slugify import slugify
from sqlalchemy import delete, insert, update
from sqlalchemy.exc import IntegrityError

from flaskart.catalog import queries
from flaskart.catalog.errors import SkuTaken, SlugTaken
from flaskart.catalog.models import MAX_SLUG, CatalogVersion, Product, ProductStatus, Variant
from flaskart.kit import clock
from flaskart.kit.db import Session, TryAgain
from flaskart.kit.duplicates import translated
from flaskart.kit.errors import ShopError
from flaskart.kit.ids import random_code

TAKEN: dict[str, type[ShopError]] = {
    "uq_product_slug product.slug": SlugTaken,
    "uq_variant_sku variant.sku": SkuTaken,
}


@dataclass(frozen=True, slots=True)
class ProductEdit:
    """What to change of a simple product; None leaves a thing as it is. SKU and price (with its
    currency) are its default variant's."""

    name: str | None = None
    description: str | None = None
    slug: str | None = None
    sku: str | None = None
    price_minor: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class NewProduct:
    """A simple product to publish with others; its SKU is made up."""

    name: str
    slug: str
    description: str
    price_minor: int
    currency: str


def add_product(
    session: Session,
    *,
    name: str,
    price_minor: int,
    currency: str,
    description: str = "",
    slug: str | None = None,
    sku: str | None = None,
) -> Product:
    """Publish a simple product: one with a default variant. Slug and SKU are made up where they are not given.

    Raises:
        SlugTaken: only a given slug is refused; a made-up one gets a suffix.
        SkuTaken: likewise.
    """
    now = clock.now()
    product = Product(
        name=name, description=description, status=ProductStatus.PUBLISHED, created_at=now, updated_at=now
    )
    product.variants = [Variant(sku=sku or made_up_sku(), price_minor=price_minor, currency=currency, position=0)]
    product.slug = slug or queries.free_slug(session, slug_of(name))
    try:
        with translated(session, TAKEN):
            session.add(product)
    except SlugTaken as taken:
        if slug is None:
            raise TryAgain from taken  # somebody added the same name a moment ago; the next try sees it
        raise
    session.send(_NEXT_VERSION)
    return product


def add_products(session: Session, products: Sequence[NewProduct]) -> Sequence[int]:
    """Publish many simple products in two statements; return their variants' ids in the same order.

    Raises:
        IntegrityError: a slug is taken.
    """
    now = clock.now()
    rows = [
        {
            "name": product.name,
            "slug": product.slug,
            "description": product.description,
            "status": ProductStatus.PUBLISHED,
            "created_at": now,
            "updated_at": now,
        }
        for product in products
    ]
    id_by_slug = {
        row.slug: row.id for row in session.execute(insert(Product).returning(Product.slug, Product.id), rows)
    }
    variants = [
        {
            "product_id": id_by_slug[product.slug],
            "sku": made_up_sku(),
            "price_minor": product.price_minor,
            "currency": product.currency,
            "position": 0,
        }
        for product in products
    ]
    id_by_sku = {
        row.sku: row.id for row in session.execute(insert(Variant).returning(Variant.sku, Variant.id), variants)
    }
    session.send(_NEXT_VERSION)
    return [id_by_sku[str(variant["sku"])] for variant in variants]


def edit_product(session: Session, product: Product, edit: ProductEdit) -> None:
    """Change a locked product. Its slug stays when its name changes, so that links keep working.

    Raises:
        SlugTaken, SkuTaken: by another one.
    """
    variant = product.default_variant
    with translated(session, TAKEN):
        for row, column, value in (
            (product, "name", edit.name),
            (product, "description", edit.description),
            (product, "slug", edit.slug),
            (variant, "sku", edit.sku),
            (variant, "price_minor", edit.price_minor),
            (variant, "currency", edit.currency),
        ):
            if value is not None:
                setattr(row, column, value)
        is_changed = session.is_modified(product) or session.is_modified(variant)
        if is_changed:
            product.updated_at = clock.now()
    if is_changed:
        session.send(_NEXT_VERSION)


def remove_product(session: Session, product: Product) -> None:
    """Take a locked product out of the shop: deleted if nobody ever ordered it, archived otherwise.

    Rows that must outlive the product refer to it without a cascade, so the database itself says which. An archived
    product gives its slug and SKUs free; orders have copies.
    """
    try:
        with session.begin_nested():
            session.execute(
                delete(Product).where(Product.id == product.id), execution_options={"synchronize_session": False}
            )
    except IntegrityError:
        product.status, product.updated_at = ProductStatus.ARCHIVED, clock.now()
        product.slug = f"archived:{product.id}"  # no slug that staff may give has a colon
        for variant in product.variants:
            variant.sku = made_up_sku()
        session.flush()
    session.send(_NEXT_VERSION)


def made_up_sku() -> str:
    return f"SKU-{random_code(10)}"


def slug_of(name: str) -> str:
    """Return a slug for a name: ASCII, and never all digits, since those would be read as an id."""
    slug = slugify(name, max_length=MAX_SLUG - 8)
    return slug if slug and not slug.replace("-", "").isdigit() else f"product-{slug}".rstrip("-")


# Sent last, since from then until the commit other changes of the catalogue wait.
_NEXT_VERSION = update(CatalogVersion).values(version=CatalogVersion.version + 1)
