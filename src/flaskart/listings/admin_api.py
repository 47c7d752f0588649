"""The staff's door to products."""

from flask import Response

from flaskart.catalog.errors import ProductNotFound, SkuTaken, SlugTaken
from flaskart.catalog.models import Product
from flaskart.kit.actor import Actor, Permission
from flaskart.kit.db import Session
from flaskart.listings import actions
from flaskart.listings.queries import get_listing, lock_listing
from flaskart.listings.schemas import (
    NewProduct,
    ProductAdded,
    ProductChange,
    ProductChanged,
    ProductOut,
    ProductPath,
    ProductRemoved,
    ProductShown,
)
from flaskart.web.auth import permitted
from flaskart.web.etag import PreconditionFailed, require_match
from flaskart.web.http import shop, show
from flaskart.web.idempotency import writing
from flaskart.web.openapi import answers, door

api = door("products_admin", __name__, "/products", "products", "What the shop sells.")


@api.post("", responses=answers(ProductAdded, SlugTaken, SkuTaken, status=201))
@permitted(Permission.CATALOG_WRITE)
def add_product(actor: Actor, body: NewProduct) -> Response:
    """Add a product."""
    currency = shop().settings.currency
    values = body.model_dump(exclude={"price"}) | {"price_minor": body.price_minor(currency), "currency": currency}
    with writing() as session:
        product_id = actions.add_listing(session, actor, **values)
        product = ProductOut.of(get_listing(session, str(product_id)))
        return show(ProductAdded(msg="Product added", product_id=product_id, product=product), 201)


@api.patch("/<product_id>", responses=answers(ProductChanged, ProductNotFound, PreconditionFailed, SlugTaken, SkuTaken))
@permitted(Permission.CATALOG_WRITE)
def edit_product(actor: Actor, path: ProductPath, body: ProductChange) -> Response:
    """Change what is given of a product."""
    return _edit(actor, path.product_id, body)


@api.put("/<product_id>", responses=answers(ProductChanged, ProductNotFound, PreconditionFailed, SlugTaken, SkuTaken))
@permitted(Permission.CATALOG_WRITE)
def update_product(actor: Actor, path: ProductPath, body: ProductChange) -> Response:
    """Change what is given of a product; another name of `PATCH`."""
    return _edit(actor, path.product_id, body)


@api.delete("/<product_id>", responses=answers(ProductRemoved, ProductNotFound, PreconditionFailed))
@permitted(Permission.CATALOG_WRITE)
def remove_product(actor: Actor, path: ProductPath) -> Response:
    """Remove a product; one that was ever ordered is archived, so that its orders keep it."""
    with writing() as session:
        product = lock_listing(session, path.product_id)
        require_match(_as_read(session, product))
        actions.remove_listing(session, actor, product)
        return show(ProductRemoved(msg="Product deleted", product_id=product.id))


def _edit(actor: Actor, name: str, change: ProductChange) -> Response:
    edit = change.edit(shop().settings.currency)
    keeps_keys = change.slug is None and change.sku is None
    with writing() as session:
        product = lock_listing(session, name, keeps_keys=keeps_keys)
        require_match(_as_read(session, product))
        actions.edit_listing(session, actor, product, edit)
        return show(ProductChanged(msg="Product updated", product=_as_read(session, product).product))


def _as_read(session: Session, product: Product) -> ProductShown:
    return ProductShown(product=ProductOut.of(get_listing(session, str(product.id))))
