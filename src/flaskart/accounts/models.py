"""Tables of the accounts room."""

import unicodedata
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from flaskart.kit.tables import Id, Table

MAX_USERNAME = 64
MAX_EMAIL = 254  # RFC 5321, section 4.5.3.1.3, less the angle brackets


class Customer(Table):
    """A person with an account, staff included. An erased one keeps its row, so that orders keep their customer."""

    __tablename__ = "customer"
    __table_args__ = (
        UniqueConstraint("username_folded"),
        UniqueConstraint("email_folded"),
        CheckConstraint("role IN ('customer', 'staff')", name="role"),
    )

    id: Mapped[Id]
    username: Mapped[str] = mapped_column(String(MAX_USERNAME))
    username_folded: Mapped[str] = mapped_column(String(MAX_USERNAME))
    email: Mapped[str] = mapped_column(String(MAX_EMAIL))
    email_folded: Mapped[str] = mapped_column(String(MAX_EMAIL))
    password_hash: Mapped[str] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(20))
    email_verified_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]


class RefreshToken(Table):
    """One token of a sign-in. Its family is the sign-in; rotation adds a row, reuse revokes the family."""

    __tablename__ = "refresh_token"
    __table_args__ = (UniqueConstraint("token_hash"),)

    id: Mapped[Id]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"), index=True)
    family: Mapped[str] = mapped_column(String(32), index=True)
    token_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


def fold(name: str) -> str:
    """Return the form in which names are compared (Unicode caseless matching, https://www.unicode.org/reports/tr21)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
