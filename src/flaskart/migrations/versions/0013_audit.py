"""The audit log: entries that the database lets nobody change or delete, and the head of their chain.

Revision: 0013, after 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REFUSE = "BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END"
# SQLite's REPLACE deletes a row without a DELETE trigger, so an id that is there is refused as well.
ON_SQLITE = (
    f"CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry {REFUSE}",
    f"CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry {REFUSE}",
    f"CREATE TRIGGER audit_entry_no_replace BEFORE INSERT ON audit_entry WHEN new.id IN (SELECT id FROM audit_entry) {REFUSE}",  # noqa: S608 - of constants
)
ON_POSTGRESQL = (
    """CREATE FUNCTION refuse_change_of_audit_entry() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'audit_entry is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$""",
    """CREATE TRIGGER audit_entry_no_change BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_audit_entry()""",
    """CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit_entry()""",
)


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("id", BIGINT, autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("actor_kind", sa.String(length=20), nullable=False),
        sa.Column("actor_id", BIGINT, nullable=True),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject_kind", sa.String(length=40), nullable=False),
        sa.Column("subject_id", BIGINT, nullable=True),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("withheld", sa.Text(), nullable=True),
        sa.Column("request_id", sa.String(length=32), nullable=True),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("actor_kind IN ('customer', 'key', 'system')", name=op.f("ck_audit_entry_actor_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index("ix_audit_entry_action", "audit_entry", ["action"])
    op.create_index("ix_audit_entry_actor_kind_actor_id", "audit_entry", ["actor_kind", "actor_id"])
    op.create_index("ix_audit_entry_at", "audit_entry", ["at"])
    op.create_index("ix_audit_entry_subject_kind_subject_id", "audit_entry", ["subject_kind", "subject_id"])
    head = op.create_table(
        "audit_head",
        sa.Column("id", BIGINT, sa.Identity(), nullable=False),
        sa.Column("entries", BIGINT, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.bulk_insert(head, [{"entries": 0, "hash": "0" * 64}])
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in ON_SQLITE if is_sqlite else ON_POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("audit_head")
    op.drop_table("audit_entry")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change_of_audit_entry()")
