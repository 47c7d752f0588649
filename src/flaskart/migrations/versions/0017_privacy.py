"""Exports, whom a kept answer is about, and customers that staff find and disable.

Revision: 0017, after 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
FOLDED = {"username_folded": 64, "email_folded": 254}
ABOUT, DISABLED, ERASED = (sa.text(f"{name} IS NOT NULL") for name in ("subject_id", "disabled_at", "erased_at"))
PENDING = sa.text("state = 'pending'")


def upgrade() -> None:
    op.create_table(
        "export",
        sa.Column("id", BIGINT, sa.Identity(), nullable=False),
        sa.Column("customer_id", BIGINT, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("archive", sa.LargeBinary(), nullable=True),
        sa.Column("token_hash", sa.String(length=64), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.CheckConstraint("state IN ('pending', 'ready')", name=op.f("ck_export_state")),
        sa.CheckConstraint("(state = 'ready') = (archive IS NOT NULL)", name=op.f("ck_export_archive")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_export_customer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_export_token_hash")),
    )
    op.create_index("ix_export_customer_id", "export", ["customer_id"])
    op.create_index(
        "uq_export_pending_customer_id",
        "export",
        ["customer_id"],
        unique=True,
        sqlite_where=PENDING,
        postgresql_where=PENDING,
    )
    op.add_column("idempotency_key", sa.Column("subject_id", BIGINT, nullable=True))
    op.create_index(
        "ix_idempotency_key_subject_id",
        "idempotency_key",
        ["subject_id"],
        sqlite_where=ABOUT,
        postgresql_where=ABOUT,
    )
    op.add_column("customer", sa.Column("disabled_reason", sa.String(length=200), nullable=True))
    op.create_index("ix_customer_role_id", "customer", ["role", "id"])
    op.create_index("ix_customer_disabled_id", "customer", ["id"], sqlite_where=DISABLED, postgresql_where=DISABLED)
    op.create_index("ix_customer_erased_id", "customer", ["id"], sqlite_where=ERASED, postgresql_where=ERASED)
    _collate("C")


def downgrade() -> None:
    _collate("default")
    for name in ("erased_id", "disabled_id", "role_id"):
        op.drop_index(f"ix_customer_{name}", "customer")
    op.drop_column("customer", "disabled_reason")
    op.drop_index("ix_idempotency_key_subject_id", "idempotency_key")
    op.drop_column("idempotency_key", "subject_id")
    op.drop_table("export")


def _collate(collation: str) -> None:
    """Have PostgreSQL compare folded names byte by byte, as SQLite does, so that an index finds how one begins."""
    if op.get_bind().dialect.name == "postgresql":
        for name, length in FOLDED.items():
            op.execute(f'ALTER TABLE customer ALTER {name} TYPE VARCHAR({length}) COLLATE "{collation}"')
