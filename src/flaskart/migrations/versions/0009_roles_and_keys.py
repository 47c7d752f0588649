"""Roles, whom they are granted to, and API keys. Who was staff becomes an owner.

Revision: 0009, after 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
SUPPORT = "customers.read orders.read"
MANAGER = f"catalog.write {SUPPORT} customers.write orders.refund orders.write settings.read staff.read"
BUILT_IN = {"owner": "*", "manager": " ".join(sorted(MANAGER.split())), "support": SUPPORT}


def upgrade() -> None:
    _create_roles()
    _create_keys()
    role = sa.table("role", sa.column("name"), sa.column("permissions"), sa.column("is_built_in", sa.Boolean()))
    for name, permissions in BUILT_IN.items():
        op.execute(role.insert().values(name=name, permissions=permissions, is_built_in=True))
    op.execute("UPDATE customer SET role = 'customer' WHERE erased_at IS NOT NULL")
    op.execute(
        "INSERT INTO role_grant (customer_id, role_id, granted_at)"
        " SELECT customer.id, role.id, CURRENT_TIMESTAMP FROM customer, role"
        " WHERE customer.role = 'staff' AND role.name = 'owner' ORDER BY customer.id"
    )


def downgrade() -> None:
    op.drop_table("api_key_secret")
    op.drop_table("api_key")
    op.drop_table("role_grant")
    op.drop_table("role")


def _create_roles() -> None:
    op.create_table(
        "role",
        sa.Column("id", BIGINT, sa.Identity(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("permissions", sa.String(length=1000), nullable=False),
        sa.Column("is_built_in", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role")),
        sa.UniqueConstraint("name", name=op.f("uq_role_name")),
    )
    op.create_table(
        "role_grant",
        sa.Column("id", BIGINT, sa.Identity(), nullable=False),
        sa.Column("customer_id", BIGINT, nullable=False),
        sa.Column("role_id", BIGINT, nullable=False),
        sa.Column("granted_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_role_grant_customer_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["role_id"], ["role.id"], name=op.f("fk_role_grant_role_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_grant")),
        sa.UniqueConstraint("customer_id", "role_id", name=op.f("uq_role_grant_customer_id_role_id")),
    )
    op.create_index("ix_role_grant_role_id", "role_grant", ["role_id"])


def _create_keys() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", BIGINT, sa.Identity(), nullable=False),
        sa.Column("customer_id", BIGINT, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("last_four", sa.String(length=4), nullable=False),
        sa.Column("scopes", sa.String(length=1000), nullable=False),
        sa.Column("operations", sa.Text(), nullable=True),
        sa.Column("spend_cap_minor", BIGINT, nullable=True),
        sa.Column("spent_minor", BIGINT, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=True),
        sa.Column("last_used_at", TIME, nullable=True),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.CheckConstraint("(spend_cap_minor IS NULL) = (currency IS NULL)", name=op.f("ck_api_key_currency")),
        sa.CheckConstraint("spend_cap_minor >= 0 AND spent_minor >= 0", name=op.f("ck_api_key_spent_minor")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_api_key_customer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
    )
    op.create_index("ix_api_key_customer_id", "api_key", ["customer_id"])
    op.create_table(
        "api_key_secret",
        sa.Column("id", BIGINT, sa.Identity(), nullable=False),
        sa.Column("api_key_id", BIGINT, nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("expires_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["api_key_id"], ["api_key.id"], name=op.f("fk_api_key_secret_api_key_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key_secret")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_api_key_secret_secret_hash")),
    )
    op.create_index("ix_api_key_secret_api_key_id", "api_key_secret", ["api_key_id"])
