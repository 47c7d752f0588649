"""Stock: locations, levels and the ledger of movements.

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "stock_location",
        sa.Column("id", BIGINT, sa.Identity(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_location")),
        sa.UniqueConstraint("name", name=op.f("uq_stock_location_name")),
    )
    # The place where a new shop's stock lies.
    op.bulk_insert(sa.table("stock_location", sa.column("name")), [{"name": "Main"}])
    op.create_table(
        "stock_level",
        sa.Column("id", BIGINT, sa.Identity(), nullable=False),
        sa.Column("variant_id", BIGINT, nullable=False),
        sa.Column("location_id", BIGINT, nullable=False),
        sa.Column("on_hand", BIGINT, nullable=False),
        sa.Column("allocated", BIGINT, nullable=False),
        sa.Column("held", BIGINT, nullable=False),
        sa.Column("backorder_limit", BIGINT, nullable=True),
        sa.CheckConstraint(
            "allocated >= 0 AND held >= 0 AND (backorder_limit IS NULL OR allocated + held <= on_hand + backorder_limit)",
            name=op.f("ck_stock_level_never_oversold"),
        ),
        sa.CheckConstraint("on_hand >= 0", name=op.f("ck_stock_level_on_hand")),
        sa.ForeignKeyConstraint(["location_id"], ["stock_location.id"], name=op.f("fk_stock_level_location_id")),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variant.id"], name=op.f("fk_stock_level_variant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_level")),
        sa.UniqueConstraint("variant_id", "location_id", name=op.f("uq_stock_level_variant_id_location_id")),
    )
    op.create_table(
        "stock_movement",
        sa.Column("id", BIGINT, sa.Identity(), nullable=False),
        sa.Column("stock_level_id", BIGINT, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("on_hand_delta", BIGINT, nullable=False),
        sa.Column("allocated_delta", BIGINT, nullable=False),
        sa.Column("held_delta", BIGINT, nullable=False),
        sa.Column("reference", sa.String(length=60), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint(
            "kind IN ('received', 'adjusted', 'allocated', 'released')", name=op.f("ck_stock_movement_kind")
        ),
        sa.ForeignKeyConstraint(
            ["stock_level_id"], ["stock_level.id"], name=op.f("fk_stock_movement_stock_level_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_movement")),
    )
    op.create_index("ix_stock_movement_reference", "stock_movement", ["reference"])
    op.create_index("ix_stock_movement_stock_level_id", "stock_movement", ["stock_level_id"])


def downgrade() -> None:
    op.drop_table("stock_movement")
    op.drop_table("stock_level")
    op.drop_table("stock_location")
