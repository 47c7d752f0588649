"""Tables of the catalog room."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from flaskart.kit.tables import Id, Table

MAX_NAME = 200
MAX_SLUG = 200
MAX_SKU = 64


class ProductStatus(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


class Product(Table):
    """Something the shop sells, in at least one variant, the default one. Archived: sold before, gone from the shop."""

    __tablename__ = "product"
    __table_args__ = (
        UniqueConstraint("slug"),
        CheckConstraint("status IN ('draft', 'published', 'archived')", name="status"),
        Index("ix_product_status_id", "status", "id"),
        {"sqlite_autoincrement": True},  # an id is never used twice: carts and links would mean another product
    )

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(MAX_NAME))
    slug: Mapped[str] = mapped_column(String(MAX_SLUG))
    description: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    variants: Mapped[list["Variant"]] = relationship(
        back_populates="product", order_by="Variant.position", lazy="raise", passive_deletes=True
    )

    @property
    def default_variant(self) -> "Variant":
        return self.variants[0]


class CatalogVersion(Table):
    """One row, whose version grows with every change of a product or variant: who kept a page asks whether it did."""

    __tablename__ = "catalog_version"

    id: Mapped[Id]
    version: Mapped[int]


class Variant(Table):
    """What is put in a cart: a product in one of its forms. The SKU is its public id, the price is in minor units."""

    __tablename__ = "variant"
    __table_args__ = (
        UniqueConstraint("sku"),
        UniqueConstraint("product_id", "position"),
        CheckConstraint("price_minor >= 0", name="price_minor"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[Id]
    product_id: Mapped[int] = mapped_column(ForeignKey("product.id", ondelete="CASCADE"))
    sku: Mapped[str] = mapped_column(String(MAX_SKU))
    price_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    position: Mapped[int]

    product: Mapped[Product] = relationship(back_populates="variants", lazy="raise")
