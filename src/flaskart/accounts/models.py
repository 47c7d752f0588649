"""Tables of the accounts room."""

import unicodedata
from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from flaskart.kit.actor import ALL, Permissions, permissions_in
from flaskart.kit.audit import Kind
from flaskart.kit.tables import PERSONAL, Id, Table

MAX_USERNAME = 64
MAX_EMAIL = 254  # RFC 5321, section 4.5.3.1.3, less the angle brackets
MAX_REASON = 200
DISABLED = text("disabled_at IS NOT NULL")
ERASED = text("erased_at IS NOT NULL")


def folded(length: int) -> String:
    """Return the type of a folded name, compared byte by byte, so that the index finds what a name begins with."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


class CustomerState(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"
    ERASED = "erased"


MAX_USER_AGENT = 255
MAX_IP = 45  # an IPv4 address written as IPv6


class TokenPurpose(StrEnum):
    """What a token that was mailed lets its bearer do, once."""

    VERIFY_EMAIL = "verify_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a purpose's name
    CHANGE_EMAIL = "change_email"


MAX_ROLE_NAME = 40
MAX_KEY_NAME = 100
MAX_PERMISSIONS = 1_000  # characters of a stored list; all there are take a quarter of them
MAX_POSTAL = 100  # characters of one line of an address
MAX_PHONE = 21  # a plus sign, 3 digits of the country and 17 of the number, which is more than E.164 has
MAX_ADDRESSES = 50
DEFAULT_SHIPPING, DEFAULT_BILLING = text("is_default_shipping"), text("is_default_billing")
MAX_PROVIDER = 40
MAX_SUBJECT = 255  # OpenID Connect Core 1.0, section 2
MAX_REDIRECT_URI = 1_000


class Customer(Table):
    """A person with an account, staff included. An erased one keeps its row, so that orders keep their customer.

    `role` says whether any role was granted, so that a customer's request need not look for one. `pending_email` waits
    until its owner confirms it. `totp_secret` is sealed; it counts once it was confirmed at `second_factor_at`, and no
    code of a step up to `totp_used_step` is taken again. One that staff disabled cannot sign in until they enable it.
    """

    __tablename__ = "customer"
    __table_args__ = (
        UniqueConstraint("username_folded"),
        UniqueConstraint("email_folded"),
        CheckConstraint("role IN ('customer', 'staff')", name="role"),
        Index("ix_customer_role_id", "role", "id"),
        Index("ix_customer_disabled_id", "id", sqlite_where=DISABLED, postgresql_where=DISABLED),
        Index("ix_customer_erased_id", "id", sqlite_where=ERASED, postgresql_where=ERASED),
    )

    id: Mapped[Id]
    username: Mapped[str] = mapped_column(String(MAX_USERNAME), info=PERSONAL)
    username_folded: Mapped[str] = mapped_column(folded(MAX_USERNAME), info=PERSONAL)
    email: Mapped[str] = mapped_column(String(MAX_EMAIL), info=PERSONAL)
    email_folded: Mapped[str] = mapped_column(folded(MAX_EMAIL), info=PERSONAL)
    password_hash: Mapped[str] = mapped_column(String(255), info=PERSONAL)
    role: Mapped[str] = mapped_column(String(20))
    email_verified_at: Mapped[datetime | None]
    pending_email: Mapped[str | None] = mapped_column(String(MAX_EMAIL), info=PERSONAL)
    totp_secret: Mapped[str | None] = mapped_column(String(255), info=PERSONAL)
    totp_used_step: Mapped[int | None]
    second_factor_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[str | None] = mapped_column(String(MAX_REASON), info=PERSONAL)
    erased_at: Mapped[datetime | None]

    @property
    def state(self) -> CustomerState:
        if self.erased_at is not None:
            return CustomerState.ERASED
        return CustomerState.ACTIVE if self.disabled_at is None else CustomerState.DISABLED


class SignInRecord(Table):
    """A sign-in, named by the family of its refresh tokens. It was last used when it was last continued."""

    __tablename__ = "sign_in"
    __table_args__ = (UniqueConstraint("family"),)

    id: Mapped[Id]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"), index=True)
    family: Mapped[str] = mapped_column(String(32))
    user_agent: Mapped[str] = mapped_column(String(MAX_USER_AGENT), info=PERSONAL)
    ip: Mapped[str] = mapped_column(String(MAX_IP), info=PERSONAL)
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


# What the audit log may show of a customer: nothing that is personal.
CUSTOMER = Kind("customer", frozenset({"id", "role", "roles", "disabled_at", "second_factor_at"}))


class RefreshToken(Table):
    """One token of a sign-in. Rotation adds a row, reuse of an old one revokes the sign-in."""

    __tablename__ = "refresh_token"
    __table_args__ = (UniqueConstraint("token_hash"),)

    id: Mapped[Id]
    family: Mapped[str] = mapped_column(ForeignKey("sign_in.family", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ConsentPurpose(StrEnum):
    MARKETING_EMAIL = "marketing_email"
    MARKETING_SMS = "marketing_sms"
    ANALYTICS = "analytics"
    PERSONALIZATION = "personalization"


class ConsentSource(StrEnum):
    """Where somebody was asked."""

    REGISTRATION = "registration"
    ACCOUNT = "account"


class Consent(Table):
    """What a customer said about a purpose, once. The newest row holds; the others show what held before."""

    __tablename__ = "consent"
    __table_args__ = (
        CheckConstraint(
            "purpose IN ('marketing_email', 'marketing_sms', 'analytics', 'personalization')", name="purpose"
        ),
        CheckConstraint("source IN ('registration', 'account')", name="source"),
        Index("ix_consent_customer_id_purpose", "customer_id", "purpose"),
    )

    id: Mapped[Id]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(String(40))
    granted: Mapped[bool]
    source: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime]


class AccountToken(Table):
    """A token that was mailed to somebody, for one purpose and one use."""

    __tablename__ = "account_token"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        CheckConstraint("purpose IN ('verify_email', 'reset_password', 'change_email')", name="purpose"),
    )

    id: Mapped[Id]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str] = mapped_column(String(20))
    token_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class RecoveryCode(Table):
    """A code that stands in for the second factor once; a used one is deleted."""

    __tablename__ = "recovery_code"
    __table_args__ = (UniqueConstraint("customer_id", "code_hash"),)

    id: Mapped[Id]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"))
    code_hash: Mapped[str] = mapped_column(String(64))


class StaffRole(Table):
    """A set of permissions with a name. What an owner may do is everything, so it is not listed."""

    __tablename__ = "role"
    __table_args__ = (UniqueConstraint("name"),)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(MAX_ROLE_NAME))
    permissions: Mapped[str] = mapped_column(String(MAX_PERMISSIONS))
    is_built_in: Mapped[bool]

    @property
    def holds(self) -> Permissions:
        return permissions_in(self.permissions)

    @property
    def is_owner(self) -> bool:
        return self.permissions == ALL


class RoleGrant(Table):
    """A role that an account was granted."""

    __tablename__ = "role_grant"
    __table_args__ = (UniqueConstraint("customer_id", "role_id"),)

    id: Mapped[Id]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"))
    role_id: Mapped[int] = mapped_column(ForeignKey("role.id"), index=True)
    granted_at: Mapped[datetime]


class ApiKey(Table):
    """A way for a machine to act for a member of staff: with some of their permissions, and never with more.

    `spent_minor` counts the orders placed under the cap. `operations` are names separated by spaces.
    """

    __tablename__ = "api_key"
    __table_args__ = (
        CheckConstraint("(spend_cap_minor IS NULL) = (currency IS NULL)", name="currency"),
        CheckConstraint("spend_cap_minor >= 0 AND spent_minor >= 0", name="spent_minor"),
    )

    id: Mapped[Id]
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(MAX_KEY_NAME), info=PERSONAL)
    last_four: Mapped[str] = mapped_column(String(4))
    scopes: Mapped[str] = mapped_column(String(MAX_PERMISSIONS))
    operations: Mapped[str | None] = mapped_column(Text)
    spend_cap_minor: Mapped[int | None]
    spent_minor: Mapped[int]
    currency: Mapped[str | None] = mapped_column(String(3))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class ApiKeySecret(Table):
    """A secret of a key. It has one, and for a while after a rotation the one before, too."""

    __tablename__ = "api_key_secret"
    __table_args__ = (UniqueConstraint("secret_hash"),)

    id: Mapped[Id]
    api_key_id: Mapped[int] = mapped_column(ForeignKey("api_key.id", ondelete="CASCADE"), index=True)
    secret_hash: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime | None]


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
    name: Mapped[str] = mapped_column(String(MAX_POSTAL), info=PERSONAL)
    company: Mapped[str] = mapped_column(String(MAX_POSTAL), info=PERSONAL)
    lines: Mapped[list[str]] = mapped_column(JSON, info=PERSONAL)
    district: Mapped[str] = mapped_column(String(MAX_POSTAL), info=PERSONAL)
    city: Mapped[str] = mapped_column(String(MAX_POSTAL), info=PERSONAL)
    region: Mapped[str] = mapped_column(String(MAX_POSTAL), info=PERSONAL)
    postal_code: Mapped[str] = mapped_column(String(MAX_POSTAL), info=PERSONAL)
    country: Mapped[str] = mapped_column(String(2))
    phone: Mapped[str] = mapped_column(String(MAX_PHONE), info=PERSONAL)
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
    subject: Mapped[str] = mapped_column(String(MAX_SUBJECT), info=PERSONAL)
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
