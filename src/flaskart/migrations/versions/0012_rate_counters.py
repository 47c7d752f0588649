"""Counters of attempts.

Revision: 0012, after 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "rate_counter",
        sa.Column("id", BIGINT, sa.Identity(), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("count", BIGINT, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rate_counter")),
    )
    op.create_index("uq_rate_counter_key", "rate_counter", ["key"], unique=True)
    op.create_index("ix_rate_counter_expires_at", "rate_counter", ["expires_at"])


def downgrade() -> None:
    op.drop_table("rate_counter")
