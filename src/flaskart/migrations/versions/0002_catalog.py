"""Products and their variants.

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "product",
        sa.Column("id", BIGINT, sa.Identity(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("slug", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.CheckConstraint("status IN ('draft', 'published', 'archived')", name=op.f("ck_product_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
        sa.UniqueConstraint("slug", name=op.f("uq_product_slug")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_product_status_id", "product", ["status", "id"])
    op.create_table(
        "variant",
        sa.Column("id", BIGINT, sa.Identity(), nullable=False),
        sa.Column("product_id", BIGINT, nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("price_minor", BIGINT, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("position", BIGINT, nullable=False),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_variant_price_minor")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_variant_product_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_variant")),
        sa.UniqueConstraint("product_id", "position", name=op.f("uq_variant_product_id_position")),
        sa.UniqueConstraint("sku", name=op.f("uq_variant_sku")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("variant")
    op.drop_table("product")
