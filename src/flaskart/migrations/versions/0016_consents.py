"""What customers agreed to: a row for each time they said so, which the database lets nobody change.

Revision: 0016, after 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
# Rows may be deleted, since erasing a person and cleaning up may have to.
ON_SQLITE = (
    """CREATE TRIGGER consent_no_update BEFORE UPDATE ON consent
    BEGIN SELECT RAISE(ABORT, 'consent is append-only'); END""",
)
ON_POSTGRESQL = (
    """CREATE FUNCTION refuse_change_of_consent() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'consent is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$""",
    """CREATE TRIGGER consent_no_update BEFORE UPDATE ON consent
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_consent()""",
)


def upgrade() -> None:
    op.create_table(
        "consent",
        sa.Column("id", BIGINT, sa.Identity(), nullable=False),
        sa.Column("customer_id", BIGINT, nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.CheckConstraint(
            "purpose IN ('marketing_email', 'marketing_sms', 'analytics', 'personalization')",
            name=op.f("ck_consent_purpose"),
        ),
        sa.CheckConstraint("source IN ('registration', 'account')", name=op.f("ck_consent_source")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_consent_customer_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index("ix_consent_customer_id_purpose", "consent", ["customer_id", "purpose"])
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in ON_SQLITE if is_sqlite else ON_POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("consent")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change_of_consent()")
