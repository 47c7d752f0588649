"""Work for later.

Revision: 0008, after 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BIGINT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
ALIVE, DEAD = sa.text("parked_at IS NULL"), sa.text("parked_at IS NOT NULL")
PERIODIC = sa.text("period_seconds IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "job",
        sa.Column("id", BIGINT, sa.Identity(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("priority", BIGINT, nullable=False),
        sa.Column("period_seconds", BIGINT, nullable=True),
        sa.Column("run_at", TIME, nullable=False),
        sa.Column("attempts", BIGINT, nullable=False),
        sa.Column("leased_by", sa.String(length=100), nullable=True),
        sa.Column("leased_until", TIME, nullable=True),
        sa.Column("parked_at", TIME, nullable=True),
        sa.Column("last_error", sa.String(length=500), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    op.create_index("ix_job_priority_run_at", "job", ["priority", "run_at"], sqlite_where=ALIVE, postgresql_where=ALIVE)
    op.create_index("ix_job_run_at", "job", ["run_at"], sqlite_where=ALIVE, postgresql_where=ALIVE)
    op.create_index("ix_job_parked_at", "job", ["parked_at"], sqlite_where=DEAD, postgresql_where=DEAD)
    op.create_index(
        "uq_job_periodic_name", "job", ["name"], unique=True, sqlite_where=PERIODIC, postgresql_where=PERIODIC
    )


def downgrade() -> None:
    op.drop_table("job")
