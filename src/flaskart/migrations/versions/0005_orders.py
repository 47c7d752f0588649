"""Orders, their lines and events.

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "order",
        sa.Column("id", BIGINT, sa.Identity(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("cart_id", BIGINT, nullable=False),
        sa.Column("customer_id", BIGINT, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("payment_status", sa.String(length=20), nullable=False),
        sa.Column("fulfillment_status", sa.String(length=20), nullable=False),
        sa.Column("return_status", sa.String(length=20), nullable=False),
        sa.Column("items_count", BIGINT, nullable=False),
        sa.Column("subtotal_minor", BIGINT, nullable=False),
        sa.Column("discount_total_minor", BIGINT, nullable=False),
        sa.Column("shipping_total_minor", BIGINT, nullable=False),
        sa.Column("tax_total_minor", BIGINT, nullable=False),
        sa.Column("total_minor", BIGINT, nullable=False),
        sa.Column("placed_at", TIME, nullable=False),
        sa.Column("canceled_at", TIME, nullable=True),
        sa.CheckConstraint(
            "fulfillment_status IN ('unfulfilled', 'partial', 'fulfilled', 'delivered', 'canceled')",
            name=op.f("ck_order_fulfillment_status"),
        ),
        sa.CheckConstraint(
            "payment_status IN ('none', 'pending', 'authorized', 'partially_paid', 'paid', 'partially_refunded', 'refunded', 'voided')",
            name=op.f("ck_order_payment_status"),
        ),
        sa.CheckConstraint(
            "return_status IN ('none', 'requested', 'in_progress', 'partially_returned', 'returned')",
            name=op.f("ck_order_return_status"),
        ),
        sa.CheckConstraint("status IN ('draft', 'placed', 'canceled')", name=op.f("ck_order_status")),
        sa.CheckConstraint(
            "total_minor >= 0 AND total_minor = subtotal_minor + discount_total_minor + shipping_total_minor + tax_total_minor",
            name=op.f("ck_order_total"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_order_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order")),
        sa.UniqueConstraint("cart_id", name=op.f("uq_order_cart_id")),
        sa.UniqueConstraint("number", name=op.f("uq_order_number")),
    )
    op.create_index("ix_order_customer_id_id", "order", ["customer_id", "id"])
    op.create_index("ix_order_fulfillment_status_id", "order", ["fulfillment_status", "id"])
    op.create_index("ix_order_payment_status_id", "order", ["payment_status", "id"])
    op.create_index("ix_order_status_id", "order", ["status", "id"])
    op.create_table(
        "order_line",
        sa.Column("id", BIGINT, sa.Identity(), nullable=False),
        sa.Column("order_id", BIGINT, nullable=False),
        sa.Column("position", BIGINT, nullable=False),
        sa.Column("product_id", BIGINT, nullable=False),
        sa.Column("variant_id", BIGINT, nullable=False),
        sa.Column("sku", sa.String(length=64), nullable=False),
        sa.Column("product_name", sa.String(length=200), nullable=False),
        sa.Column("unit_price_minor", BIGINT, nullable=False),
        sa.Column("quantity", BIGINT, nullable=False),
        sa.Column("total_minor", BIGINT, nullable=False),
        sa.Column("fulfilled", BIGINT, nullable=False),
        sa.Column("delivered", BIGINT, nullable=False),
        sa.Column("returned", BIGINT, nullable=False),
        sa.Column("canceled", BIGINT, nullable=False),
        sa.CheckConstraint(
            "quantity > 0 AND fulfilled BETWEEN 0 AND quantity AND delivered BETWEEN 0 AND quantity AND returned BETWEEN 0 AND quantity AND canceled BETWEEN 0 AND quantity",
            name=op.f("ck_order_line_counters"),
        ),
        sa.CheckConstraint("total_minor = unit_price_minor * quantity", name=op.f("ck_order_line_total")),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name=op.f("fk_order_line_order_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_order_line_product_id")),
        sa.ForeignKeyConstraint(["variant_id"], ["variant.id"], name=op.f("fk_order_line_variant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_line")),
        sa.UniqueConstraint("order_id", "position", name=op.f("uq_order_line_order_id_position")),
    )
    op.create_index("ix_order_line_product_id", "order_line", ["product_id"])
    op.create_index("ix_order_line_variant_id", "order_line", ["variant_id"])
    op.create_table(
        "order_event",
        sa.Column("id", BIGINT, sa.Identity(), nullable=False),
        sa.Column("order_id", BIGINT, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("customer_id", BIGINT, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint("kind IN ('placed', 'canceled')", name=op.f("ck_order_event_kind")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_order_event_customer_id")),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"], name=op.f("fk_order_event_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_event")),
    )
    op.create_index("ix_order_event_order_id", "order_event", ["order_id"])


def downgrade() -> None:
    op.drop_table("order_event")
    op.drop_table("order_line")
    op.drop_table("order")
