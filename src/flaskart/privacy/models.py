"""Tables of the privacy room."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from flaskart.kit.tables import PERSONAL, Id, Table

PENDING = text("state = 'pending'")


class ExportState(StrEnum):
    PENDING = "pending"
    READY = "ready"


class Export(Table):
    """All that is kept about a person, once a job has put it together: JSON, compressed.

    A person has one pending export at most. Who has the token may download it; only the token's hash is stored.
    """

    __tablename__ = "export"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        CheckConstraint("state IN ('pending', 'ready')", name="state"),
        CheckConstraint("(state = 'ready') = (archive IS NOT NULL)", name="archive"),
        Index(
            "uq_export_pending_customer_id", "customer_id", unique=True, sqlite_where=PENDING, postgresql_where=PENDING
        ),
    )

    id: Mapped[Id]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(String(20))
    archive: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True, deferred_raiseload=True, info=PERSONAL)
    token_hash: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
