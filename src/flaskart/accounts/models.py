"""Tables of the accounts room."""

import unicodedata
from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from flaskart.kit.tables import Id, Table

MAX_USERNAME = 64
MAX_EMAIL = 254  # RFC 5321, section 4.5.3.1.3, less the angle brackets
MAX_POSTAL = 100  # characters of one line of an address
MAX_PHONE = 21  # a plus sign, 3 digits of the country and 17 of the number, which is more than E.164 has
MAX_ADDRESSES = 50
DEFAULT_SHIPPING, DEFAULT_BILLING = text("is_default_shipping"), text("is_default_billing")
MAX_PROVIDER = 40
MAX_SUBJECT = 255  # OpenID Connect Core 1.0, section 2
MAX_REDIRECT_URI = 1_000


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


class Address(Table):
    """An entry of a customer's address book, in the form `postal.checked` gives it."""

    __tablename__ = "address"
    __table_args__ = (
        Index(
            "uq_address_default_shipping_customer_id",
            "customer_id",
            unique=True,
            sqlite_where=DEFAULT_SHIPPING,
            postgresql_where=DEFAULT_SHIPPING,
        ),
        Index(
            "uq_address_default_billing_customer_id",
            "customer_id",
            unique=True,
            sqlite_where=DEFAULT_BILLING,
            postgresql_where=DEFAULT_BILLING,
        ),
    )

    id: Mapped[Id]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(MAX_POSTAL))
    company: Mapped[str] = mapped_column(String(MAX_POSTAL))
    lines: Mapped[list[str]] = mapped_column(JSON)
    district: Mapped[str] = mapped_column(String(MAX_POSTAL))
    city: Mapped[str] = mapped_column(String(MAX_POSTAL))
    region: Mapped[str] = mapped_column(String(MAX_POSTAL))
    postal_code: Mapped[str] = mapped_column(String(MAX_POSTAL))
    country: Mapped[str] = mapped_column(String(2))
    phone: Mapped[str] = mapped_column(String(MAX_PHONE))
    is_default_shipping: Mapped[bool]
    is_default_billing: Mapped[bool]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ExternalIdentity(Table):
    """Who somebody is at a provider, and the account that lets in."""

    __tablename__ = "external_identity"
    __table_args__ = (UniqueConstraint("provider", "subject"),)

    id: Mapped[Id]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"), index=True)
    provider: Mapped[str] = mapped_column(String(MAX_PROVIDER))
    subject: Mapped[str] = mapped_column(String(MAX_SUBJECT))
    created_at: Mapped[datetime]


class OidcFlow(Table):
    """A sign-in somebody has gone to a provider for; with `customer_id` it links that account. Gone once it is used."""

    __tablename__ = "oidc_flow"
    __table_args__ = (UniqueConstraint("token_hash"),)

    id: Mapped[Id]
    token_hash: Mapped[str] = mapped_column(String(64))
    state_hash: Mapped[str] = mapped_column(String(64))
    provider: Mapped[str] = mapped_column(String(MAX_PROVIDER))
    redirect_uri: Mapped[str] = mapped_column(String(MAX_REDIRECT_URI))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime] = mapped_column(index=True)


def fold(name: str) -> str:
    """Return the form in which names are compared (Unicode caseless matching, https://www.unicode.org/reports/tr21)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
