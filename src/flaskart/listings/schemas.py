"""Public JSON of products."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from flaskart.catalog.actions import ProductEdit
from flaskart.catalog.models import MAX_NAME, MAX_SKU, MAX_SLUG
from flaskart.kit.money import to_major, to_minor
from flaskart.kit.paging import Page
from flaskart.listings.actions import ListingEdit
from flaskart.listings.queries import Listing, VariantListing
from flaskart.web.fields import Amount, Change, Input, Line, NoControls, Pagination

MAX_STOCK = 1_000_000_000


def _not_a_number(slug: str) -> str:
    if slug.isdigit():
        raise PydanticCustomError("slug_digits", "A slug of digits alone would be read as an id")
    return slug


Name = Annotated[Line, Field(max_length=MAX_NAME, examples=["Enamel mug"]), NoControls]
Description = Annotated[str, Field(max_length=20_000), NoControls]
Slug = Annotated[str, Field(max_length=MAX_SLUG, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$"), AfterValidator(_not_a_number)]
Sku = Annotated[Line, Field(max_length=MAX_SKU, examples=["MUG-1"]), NoControls]
Stock = Annotated[int, Field(ge=0, le=MAX_STOCK, examples=[25])]


class NewProduct(Input):
    """A simple product. `price` is in the shop's currency; slug and SKU are made up where they are not given."""

    name: Name
    price: Amount
    description: Description = ""
    stock: Stock = 0
    slug: Slug | None = None
    sku: Sku | None = None

    def price_minor(self, currency: str) -> int:
        return to_minor(self.price, currency, pointer="/price")


class ProductChange(Change):
    """What to change; what is not given stays. `stock` is how many can be sold, besides what is promised to orders."""

    name: Name | None = None
    price: Amount | None = None
    description: Description | None = None
    stock: Stock | None = None
    slug: Slug | None = None
    sku: Sku | None = None

    def edit(self, currency: str) -> ListingEdit:
        product = ProductEdit(name=self.name, description=self.description, slug=self.slug, sku=self.sku)
        if self.price is not None:
            price_minor = to_minor(self.price, currency, pointer="/price")
            product = replace(product, price_minor=price_minor, currency=currency)
        return ListingEdit(product, self.stock)


class ProductPath(BaseModel):
    product_id: Annotated[str, Field(description="A product's id or slug.", examples=["enamel-mug"])]


@dataclass(slots=True)
class VariantOut:
    id: int
    sku: str
    price: Amount
    currency: str
    stock: int

    @classmethod
    def of(cls, variant: VariantListing) -> "VariantOut":
        return cls(
            id=variant.id,
            sku=variant.sku,
            price=to_major(variant.price_minor, variant.currency),
            currency=variant.currency,
            stock=variant.stock,
        )


@dataclass(slots=True)
class ProductOut:
    """`price` and `sku` are the default variant's; `stock` is how many can be sold, all variants together."""

    id: int
    name: str
    slug: str
    description: str
    price: Amount
    currency: str
    sku: str
    stock: int
    variants: list[VariantOut]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, listing: Listing) -> "ProductOut":
        variants = [VariantOut.of(variant) for variant in listing.variants]
        default = variants[0]
        return cls(
            id=listing.id,
            name=listing.name,
            slug=listing.slug,
            description=listing.description,
            price=default.price,
            currency=default.currency,
            sku=default.sku,
            stock=sum([variant.stock for variant in variants]),
            variants=variants,
            created_at=listing.created_at,
            updated_at=listing.updated_at,
        )


class ProductShown(BaseModel):
    product: ProductOut


class ProductAdded(BaseModel):
    msg: str
    product_id: int
    product: ProductOut


class ProductChanged(BaseModel):
    msg: str
    product: ProductOut


class ProductRemoved(BaseModel):
    msg: str
    product_id: int


class ProductList(BaseModel):
    products: list[ProductOut]
    pagination: Pagination

    @classmethod
    def of(cls, page: Page[Listing]) -> "ProductList":
        return cls(products=[ProductOut.of(listing) for listing in page.rows], pagination=Pagination.of(page))
