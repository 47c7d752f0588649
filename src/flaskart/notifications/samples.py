"""Every message with made-up values, for previews and for the tests."""

from flaskart.notifications.messages import (
    ConfirmEmailChange,
    ExportReady,
    Line,
    MailTest,
    Message,
    NewSignIn,
    OrderPlaced,
    PasswordChanged,
    Price,
    ResetPassword,
    VerifyEmail,
)

_SHOP = "https://shop.example"
_TOKEN = "a-token-that-opens-nothing"  # noqa: S105 - made up
_TIME = "2026-03-01 12:30 UTC"

SAMPLES: dict[str, Message] = {
    sample.name: sample
    for sample in (
        VerifyEmail(username="alice", link=f"{_SHOP}/verify-email?token={_TOKEN}"),
        ResetPassword(username="alice", link=f"{_SHOP}/reset-password?token={_TOKEN}"),
        PasswordChanged(username="alice"),
        NewSignIn(username="alice", signed_in_at=_TIME),
        ConfirmEmailChange(username="alice", link=f"{_SHOP}/confirm-email?token={_TOKEN}"),
        OrderPlaced(
            number="1001",
            placed_at=_TIME,
            lines=[
                Line(
                    product_name="Small walnut mug",
                    sku="MUG-1",
                    quantity=2,
                    price=Price(5595, "USD"),
                    total=Price(11190, "USD"),
                ),
                Line(
                    product_name="Linen towel",
                    sku="TOWEL-7",
                    quantity=1,
                    price=Price(1250, "USD"),
                    total=Price(1250, "USD"),
                ),
            ],
            subtotal=Price(12440, "USD"),
            discount_total=Price(-1000, "USD"),
            shipping_total=Price(490, "USD"),
            tax_total=Price(0, "USD"),
            total=Price(11930, "USD"),
            link=f"{_SHOP}/orders/1",
        ),
        ExportReady(username="alice", expires_at=_TIME, link=f"{_SHOP}/account/exports/{_TOKEN}"),
        MailTest(sent_at=_TIME),
    )
}
