"""Sign-ins with where they come from, tokens that are mailed, second factors.

Revision: 0010, after 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("customer", sa.Column("pending_email", sa.String(length=254), nullable=True))
    op.add_column("customer", sa.Column("totp_secret", sa.String(length=255), nullable=True))
    op.add_column("customer", sa.Column("totp_used_step", BIGINT, nullable=True))
    op.add_column("customer", sa.Column("second_factor_at", TIME, nullable=True))
    op.add_column("customer", sa.Column("disabled_at", TIME, nullable=True))
    _make_sign_ins()
    op.create_table(
        "account_token",
        sa.Column("id", BIGINT, sa.Identity(), nullable=False),
        sa.Column("customer_id", BIGINT, nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME, nullable=True),
        sa.CheckConstraint(
            "purpose IN ('verify_email', 'reset_password', 'change_email')", name=op.f("ck_account_token_purpose")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_account_token_customer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_account_token_token_hash")),
    )
    op.create_index("ix_account_token_customer_id", "account_token", ["customer_id"])
    op.create_table(
        "recovery_code",
        sa.Column("id", BIGINT, sa.Identity(), nullable=False),
        sa.Column("customer_id", BIGINT, nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_recovery_code_customer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        sa.UniqueConstraint("customer_id", "code_hash", name=op.f("uq_recovery_code_customer_id_code_hash")),
    )


def downgrade() -> None:
    op.drop_table("recovery_code")
    op.drop_table("account_token")
    _take_sign_ins_back()
    for column in ("disabled_at", "second_factor_at", "totp_used_step", "totp_secret", "pending_email"):
        op.drop_column("customer", column)  # not in a batch: SQLite would drop the table, and what refers to it


def _make_sign_ins() -> None:
    """Make a row of each family of refresh tokens; what it came from is not known any more."""
    op.create_table(
        "sign_in",
        sa.Column("id", BIGINT, sa.Identity(), nullable=False),
        sa.Column("customer_id", BIGINT, nullable=False),
        sa.Column("family", sa.String(length=32), nullable=False),
        sa.Column("user_agent", sa.String(length=255), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("last_used_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_sign_in_customer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
        sa.UniqueConstraint("family", name=op.f("uq_sign_in_family")),
    )
    op.create_index("ix_sign_in_customer_id", "sign_in", ["customer_id"])
    # A family was alive as long as one of its tokens was not revoked.
    op.execute(
        "INSERT INTO sign_in (customer_id, family, user_agent, ip, created_at, last_used_at, expires_at, revoked_at) "
        "SELECT customer_id, family, '', '', min(created_at), max(created_at), max(expires_at), "
        "CASE WHEN count(*) = count(revoked_at) THEN max(revoked_at) END "
        "FROM refresh_token GROUP BY customer_id, family ORDER BY min(id)"
    )
    op.drop_index("ix_refresh_token_customer_id", "refresh_token")
    with op.batch_alter_table("refresh_token") as tokens:
        tokens.drop_constraint("fk_refresh_token_customer_id", type_="foreignkey")
        tokens.drop_column("customer_id")
        tokens.drop_column("revoked_at")
        tokens.create_foreign_key(
            op.f("fk_refresh_token_family"), "sign_in", ["family"], ["family"], ondelete="CASCADE"
        )


def _take_sign_ins_back() -> None:
    with op.batch_alter_table("refresh_token") as tokens:
        tokens.drop_constraint("fk_refresh_token_family", type_="foreignkey")
        tokens.add_column(sa.Column("customer_id", BIGINT, nullable=True))
        tokens.add_column(sa.Column("revoked_at", TIME, nullable=True))
    for column in ("customer_id", "revoked_at"):
        op.execute(
            f"UPDATE refresh_token SET {column} = "  # noqa: S608 - one of the two names above
            f"(SELECT sign_in.{column} FROM sign_in WHERE sign_in.family = refresh_token.family)"
        )
    with op.batch_alter_table("refresh_token") as tokens:
        tokens.alter_column("customer_id", existing_type=BIGINT, nullable=False)
        tokens.create_foreign_key(
            op.f("fk_refresh_token_customer_id"), "customer", ["customer_id"], ["id"], ondelete="CASCADE"
        )
    op.create_index("ix_refresh_token_customer_id", "refresh_token", ["customer_id"])
    op.drop_table("sign_in")
