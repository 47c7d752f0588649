"""What the shop writes to people: each message is the values that its templates are filled with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import ClassVar

from flaskart.kit.money import to_major


@dataclass(frozen=True, slots=True)
class Price:
    """An amount as it is read, "19.99 USD" or "2000 JPY"; nothing is false, so that a template can leave it out."""

    minor: int
    currency: str

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        return f"{to_major(self.minor, self.currency):f} {self.currency}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A mail yet to be written; `name` is that of its templates."""

    name: ClassVar[str]

    def values(self) -> Mapping[str, object]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyEmail(Message):
    """Whoever opens `link` has the mailbox."""

    name = "verify_email"
    username: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPassword(Message):
    """Whoever opens `link` may set a new password."""

    name = "reset_password"
    username: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanged(Message):
    """The password is another one since a moment ago."""

    name = "password_changed"
    username: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSignIn(Message):
    """Somebody signed in at `signed_in_at`."""

    name = "new_sign_in"
    username: str
    signed_in_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmEmailChange(Message):
    """Goes to the new address: whoever opens `link` has that mailbox."""

    name = "confirm_email_change"
    username: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of an order: `price` is for one piece."""

    product_name: str
    sku: str
    quantity: int
    price: Price
    total: Price


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlaced(Message):
    """An order was placed; the four parts add up to its total. `link` is its page."""

    name = "order_placed"
    number: str
    placed_at: str
    lines: Sequence[Line]
    subtotal: Price
    discount_total: Price
    shipping_total: Price
    tax_total: Price
    total: Price
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReady(Message):
    """Whoever opens `link` before `expires_at` gets all that is kept about the account's owner."""

    name = "export_ready"
    username: str
    expires_at: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailTest(Message):
    """Tells an operator that mail arrives."""

    name = "mail_test"
    sent_at: str
