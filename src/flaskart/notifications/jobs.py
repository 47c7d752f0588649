"""What the worker does for mail. Each may be repeated: what is not true any more by then is not written about."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from flaskart.accounts.actions import issue_token
from flaskart.accounts.errors import AccountNotFound
from flaskart.accounts.models import TokenPurpose
from flaskart.kit.db import Database
from flaskart.kit.ids import random_uuid
from flaskart.notifications import queries
from flaskart.notifications.mailer import Mailer
from flaskart.notifications.messages import (
    ConfirmEmailChange,
    ExportReady,
    Line,
    NewSignIn,
    OrderPlaced,
    PasswordChanged,
    Price,
    ResetPassword,
    VerifyEmail,
)
from flaskart.notifications.queries import Recipient
from flaskart.orders.queries import LineRow, OrderInFull
from flaskart.privacy.actions import issue_export_token
from flaskart.privacy.errors import ExportNotFound

Payload = Mapping[str, Any]


def jobs_with(mailer: Mailer) -> dict[str, Callable[[Database, Payload], None]]:
    """Return the room's jobs by their names, sending with `mailer`.

    Each raises what `Mailer.send` raises; it is worth another try then, with a new token if there was one.
    """
    jobs = (
        verify_email,
        reset_password,
        password_changed,
        new_sign_in,
        confirm_email_change,
        order_placed,
        export_ready,
    )
    return {f"mail.{job.__name__}": partial(job, mailer) for job in jobs}


def verify_email(mailer: Mailer, db: Database, payload: Payload) -> None:
    """Ask for proof that an address is read by its account's owner, unless there is proof."""
    recipient = _find_recipient(db, payload)
    if recipient is None or recipient.is_verified:
        return
    issued = _issue(db, payload, TokenPurpose.VERIFY_EMAIL)
    if issued is not None:
        recipient, token = issued
        message = VerifyEmail(username=recipient.username, link=mailer.link("/verify-email", token=token))
        mailer.send(message, to=recipient.email, reference=random_uuid())


def reset_password(mailer: Mailer, db: Database, payload: Payload) -> None:
    """Let somebody who forgot their password set another one."""
    issued = _issue(db, payload, TokenPurpose.RESET_PASSWORD)
    if issued is not None:
        recipient, token = issued
        message = ResetPassword(username=recipient.username, link=mailer.link("/reset-password", token=token))
        mailer.send(message, to=recipient.email, reference=random_uuid())


def confirm_email_change(mailer: Mailer, db: Database, payload: Payload) -> None:
    """Ask for proof that a new address is read by the account's owner."""
    recipient = _find_recipient(db, payload)
    if recipient is None or recipient.pending_email is None:
        return
    issued = _issue(db, payload, TokenPurpose.CHANGE_EMAIL)
    if issued is None:
        return
    recipient, token = issued
    if recipient.pending_email is not None:
        message = ConfirmEmailChange(username=recipient.username, link=mailer.link("/confirm-email", token=token))
        mailer.send(message, to=recipient.pending_email, reference=random_uuid())


def password_changed(mailer: Mailer, db: Database, payload: Payload) -> None:
    """Tell somebody that their password was changed."""
    recipient = _find_recipient(db, payload)
    if recipient is not None:
        mailer.send(PasswordChanged(username=recipient.username), to=recipient.email, reference=random_uuid())


def new_sign_in(mailer: Mailer, db: Database, payload: Payload) -> None:
    """Tell somebody that their account was signed in to."""
    recipient = _find_recipient(db, payload)
    with db.read() as session:
        signed_in_at = queries.find_signed_in_at(session, payload["session_id"])
    if recipient is not None and signed_in_at is not None:
        message = NewSignIn(username=recipient.username, signed_in_at=_time(signed_in_at))
        mailer.send(message, to=recipient.email, reference=f"sign-in {payload['session_id']}")


def order_placed(mailer: Mailer, db: Database, payload: Payload) -> None:
    """Send the customer what they ordered, unless it is canceled by now."""
    with db.read() as session:
        placed = queries.find_placed_order(session, payload["order_id"])
    if placed is not None:
        order = placed.order
        reference = f"order {order.id} of {order.placed_at.isoformat()}"
        mailer.send(_order_message(mailer, placed), to=order.email, reference=reference)


def export_ready(mailer: Mailer, db: Database, payload: Payload) -> None:
    """Send the link to an export, unless it is gone by now."""
    try:
        with db.write() as session:
            token = issue_export_token(session, payload["export_id"])
            customer_id, expires_at = queries.get_export(session, payload["export_id"])
            recipient = queries.find_recipient(session, customer_id)
    except ExportNotFound:
        return
    if recipient is not None:
        link = mailer.link(f"/account/exports/{token}")
        message = ExportReady(username=recipient.username, expires_at=_time(expires_at), link=link)
        mailer.send(message, to=recipient.email, reference=random_uuid())


def _find_recipient(db: Database, payload: Payload) -> Recipient | None:
    with db.read() as session:
        return queries.find_recipient(session, payload["customer_id"])


def _issue(db: Database, payload: Payload, purpose: TokenPurpose) -> tuple[Recipient, str] | None:
    """Return a token, and whose it is; None once the account may not have one.

    The address is that of the transaction which issued the token, so that nobody gets a token for another address.
    """
    try:
        with db.write() as session:
            token = issue_token(session, payload["customer_id"], purpose)
            recipient = queries.find_recipient(session, payload["customer_id"])
    except AccountNotFound:
        return None
    return None if recipient is None else (recipient, token)


def _order_message(mailer: Mailer, placed: OrderInFull) -> OrderPlaced:
    order, currency = placed.order, placed.order.currency
    return OrderPlaced(
        number=order.number,
        placed_at=_time(order.placed_at),
        lines=[_line(line, currency) for line in placed.lines],
        subtotal=Price(order.subtotal_minor, currency),
        discount_total=Price(order.discount_total_minor, currency),
        shipping_total=Price(order.shipping_total_minor, currency),
        tax_total=Price(order.tax_total_minor, currency),
        total=Price(order.total_minor, currency),
        link=mailer.link(f"/orders/{order.id}"),
    )


def _line(line: LineRow, currency: str) -> Line:
    return Line(
        product_name=line.product_name,
        sku=line.sku,
        quantity=line.quantity,
        price=Price(line.unit_price_minor, currency),
        total=Price(line.total_minor, currency),
    )


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
