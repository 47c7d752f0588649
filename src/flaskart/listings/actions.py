"""What staff do with a product and its stock at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from flaskart.catalog import actions as catalog
from flaskart.catalog.models import Product
from flaskart.inventory import actions as inventory
from flaskart.kit import audit
from flaskart.kit.actor import Actor
from flaskart.kit.audit import Kind, Subject, System
from flaskart.kit.db import Session
from flaskart.listings.queries import get_listing

PRODUCT = Kind("product", frozenset({"name", "slug", "description", "sku", "price_minor", "currency", "stock"}))


@dataclass(frozen=True, slots=True)
class ListingEdit:
    """What to change of a product; None leaves a thing as it is."""

    product: catalog.ProductEdit
    stock: int | None = None


@dataclass(frozen=True, slots=True)
class NewListing:
    """A simple product to publish with others; its SKU is made up."""

    name: str
    slug: str
    description: str
    price_minor: int
    currency: str
    stock: int


def add_listing(
    session: Session,
    actor: Actor | System,
    *,
    name: str,
    price_minor: int,
    currency: str,
    description: str = "",
    slug: str | None = None,
    sku: str | None = None,
    stock: int = 0,
) -> int:
    """Publish a simple product with `stock` pieces to sell; return its id.

    Raises:
        SlugTaken, SkuTaken: a given one is another product's.
    """
    product = catalog.add_product(
        session, name=name, price_minor=price_minor, currency=currency, description=description, slug=slug, sku=sku
    )
    inventory.open_stocks(session, {product.default_variant.id: stock})
    audit.record(session, actor, "product.added", Subject(PRODUCT, product.id), after=_audited_fields(session, product))
    return product.id


def add_listings(session: Session, goods: Sequence[NewListing]) -> None:
    """Publish many simple products at once, in a handful of statements whatever their number; slugs must be free.

    Raises:
        IntegrityError: a slug is taken.
    """
    products = [
        catalog.NewProduct(good.name, good.slug, good.description, good.price_minor, good.currency) for good in goods
    ]
    variant_ids = catalog.add_products(session, products)
    inventory.open_stocks(session, {id_: good.stock for id_, good in zip(variant_ids, goods, strict=True)})


def edit_listing(session: Session, actor: Actor, product: Product, edit: ListingEdit) -> None:
    """Change a locked product, the stock of its default variant, or both.

    Raises:
        SlugTaken, SkuTaken: by another product.
    """
    before = _audited_fields(session, product)
    catalog.edit_product(session, product, edit.product)
    if edit.stock is not None:
        inventory.set_available(session, product.default_variant.id, edit.stock)
    after = _audited_fields(session, product)
    audit.record(session, actor, "product.updated", Subject(PRODUCT, product.id), before=before, after=after)


def remove_listing(session: Session, actor: Actor, product: Product) -> None:
    """Take a locked product out of the shop; one that was ever ordered is archived."""
    before = _audited_fields(session, product)
    catalog.remove_product(session, product)
    audit.record(session, actor, "product.removed", Subject(PRODUCT, product.id), before=before)


def _audited_fields(session: Session, product: Product) -> audit.Fields:
    listing = get_listing(session, str(product.id))
    default = listing.variants[0]
    return {
        "name": listing.name,
        "slug": listing.slug,
        "description": listing.description,
        "sku": default.sku,
        "price_minor": default.price_minor,
        "currency": default.currency,
        "stock": sum(variant.stock for variant in listing.variants),
    }
