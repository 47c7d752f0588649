"""What the worker mails: to whom, when, and with which token; read from a real SMTP server."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select, update

from flaskart.accounts.models import AccountToken, Customer, RefreshToken
from flaskart.accounts.queries import hash_token
from flaskart.kit import clock
from flaskart.kit.db import Database
from flaskart.mailing import create_mailer
from flaskart.notifications.errors import MailNotSent, MailRefused, TemplateBroken
from flaskart.notifications.jobs import jobs_with
from flaskart.privacy.actions import make_export
from flaskart.privacy.models import Export
from tests.callers import Caller, Make, MakeWith
from tests.conftest import settings_of
from tests.privacy.exports import asked_for, let_pass
from tests.smtp import HOST, Arrived, MailServer, mail_server

TOKEN_MAIL = {
    "verify_email": ("verify_email", "/verify-email"),
    "reset_password": ("reset_password", "/reset-password"),
    "confirm_email_change": ("change_email", "/confirm-email"),
}
Do = Callable[..., None]


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


@pytest.fixture
def do(db: Database, database_url: str, server: MailServer, tmp_path: Path) -> Do:
    """Does a job as the worker would. Templates in `tmp_path` are the shop's own."""
    settings = settings_of(
        database_url,
        mail_transport="smtp",
        mail_smtp_host=HOST,
        mail_smtp_port=server.port,
        mail_smtp_security="none",
        mail_smtp_timeout_seconds=5,
        mail_from_address="shop@example.com",
        mail_from_name="Mugs & More",
        mail_templates=tmp_path,
        storefront_url="https://shop.example",
    )

    def do(name: str, **payload: object) -> None:
        jobs_with(create_mailer(settings))[f"mail.{name}"](db, payload)

    return do


@pytest.fixture
def alice(db: Database, make: Make) -> Caller:
    """A customer who waits for a new address to be confirmed."""
    caller = make.customer()
    with db.write() as session:
        session.execute(update(Customer).values(pending_email="alice@elsewhere.example"))
    return caller


def token_in(arrived: Arrived) -> str:
    """Follow the mail's link, which text and HTML have alike."""
    [link] = re.findall(r"https://\S+token=\S+", arrived.text)
    assert isinstance(link, str)
    assert f'href="{link}"' in arrived.html
    [token] = parse_qs(urlsplit(link).query)["token"]
    return token


def usable_tokens(db: Database, purpose: str) -> list[str]:
    """Return the hashes of the tokens that could be used now."""
    usable = select(AccountToken.token_hash).where(
        AccountToken.purpose == purpose, AccountToken.used_at.is_(None), AccountToken.expires_at > clock.now()
    )
    with db.read() as session:
        return list(session.scalars(usable))


@pytest.mark.parametrize("name", TOKEN_MAIL)
def test_a_link_carries_a_token_of_which_only_the_hash_is_kept(
    db: Database, make: Make, do: Do, server: MailServer, alice: Caller, name: str
) -> None:
    purpose, path = TOKEN_MAIL[name]

    do(name, customer_id=alice.customer_id)

    [arrived] = server.arrived
    token = token_in(arrived)
    assert len(token) >= 32
    assert f"https://shop.example{path}?token={token}" in arrived.text
    assert usable_tokens(db, purpose) == [hash_token(token)]
    assert token not in str(make.everything())


@pytest.mark.parametrize("name", TOKEN_MAIL)
def test_a_newer_mail_makes_the_older_ones_link_useless(
    db: Database, do: Do, server: MailServer, alice: Caller, name: str
) -> None:
    for _ in range(2):
        do(name, customer_id=alice.customer_id)

    first, second = server.arrived
    assert usable_tokens(db, TOKEN_MAIL[name][0]) == [hash_token(token_in(second))]
    assert token_in(first) != token_in(second)
    assert first.message["Message-ID"] != second.message["Message-ID"]


@pytest.mark.parametrize("name", TOKEN_MAIL)
def test_a_mail_that_could_not_be_sent_is_sent_by_the_next_try(
    db: Database, do: Do, server: MailServer, alice: Caller, name: str
) -> None:
    for answer, error in (("451 later", MailNotSent), ("550 never", MailRefused)):
        server.mailbox.answers["RCPT"] = answer
        with pytest.raises(error):
            do(name, customer_id=alice.customer_id)
    server.mailbox.answers.clear()

    do(name, customer_id=alice.customer_id)

    [arrived] = server.arrived
    assert usable_tokens(db, TOKEN_MAIL[name][0]) == [hash_token(token_in(arrived))]


def test_a_new_address_is_asked_itself_and_the_old_one_for_all_else(do: Do, server: MailServer, alice: Caller) -> None:
    for name in ("confirm_email_change", "verify_email", "reset_password", "password_changed"):
        do(name, customer_id=alice.customer_id)

    assert [arrived.rcpt_to for arrived in server.arrived] == ["alice@elsewhere.example"] + ["alice@example.com"] * 3
    assert all("Hello alice," in arrived.text for arrived in server.arrived)


def test_what_was_proved_or_given_up_in_the_meantime_is_not_asked_for(
    db: Database, do: Do, server: MailServer, alice: Caller
) -> None:
    with db.write() as session:
        session.execute(update(Customer).values(pending_email=None, email_verified_at=clock.now()))

    for name in ("confirm_email_change", "verify_email"):
        do(name, customer_id=alice.customer_id)

    assert server.arrived == []
    assert [usable_tokens(db, purpose) for purpose in ("change_email", "verify_email")] == [[], []]


def test_a_new_sign_in_is_told_with_its_time(db: Database, do: Do, server: MailServer, alice: Caller) -> None:
    with db.write() as session:
        session.execute(update(RefreshToken).values(created_at=datetime(2026, 3, 1, 12, 30, 59, tzinfo=UTC)))
        session_id = session.scalars(select(RefreshToken.family)).one()

    for _ in range(2):
        do("new_sign_in", customer_id=alice.customer_id, session_id=session_id)

    first, again = server.arrived
    assert "signed in to your account at 2026-03-01 12:30 UTC." in first.text
    assert first.message["Message-ID"] == again.message["Message-ID"]


def test_a_sign_in_that_is_forgotten_is_not_told(do: Do, server: MailServer, alice: Caller) -> None:
    do("new_sign_in", customer_id=alice.customer_id, session_id="0" * 32)

    assert server.arrived == []


@pytest.mark.parametrize("name", [*TOKEN_MAIL, "password_changed", "new_sign_in"])
def test_nobody_writes_to_an_erased_account(
    db: Database, make: Make, do: Do, server: MailServer, alice: Caller, name: str
) -> None:
    with db.read() as session:
        session_id = session.scalars(select(RefreshToken.family)).one()
    assert alice.delete("/account").status == 200
    before = make.everything()

    do(name, customer_id=alice.customer_id, session_id=session_id)

    assert server.arrived == []
    assert make.everything() == before


def order(buyer: Caller, *quantities: tuple[int, int]) -> int:
    """Return the id of an order of so many pieces of these products."""
    for product_id, quantity in quantities:
        assert buyer.post("/cart", {"product_id": product_id, "quantity": quantity}).status == 200
    placed = buyer.post("/orders")
    assert placed.status == 201
    return int(placed.json["order_id"])


def test_an_order_is_confirmed_with_exact_amounts(make: Make, do: Do, server: MailServer) -> None:
    alice = make.customer()
    mug, towel = make.product("Mug <b>", price="0.10", stock=99), make.product("Towel", price="19.99")
    order_id = order(alice, (mug, 3), (towel, 1))

    do("order_placed", order_id=order_id)

    [arrived] = server.arrived
    number = alice.get(f"/orders/{order_id}").json["order"]["number"]
    assert (arrived.rcpt_to, arrived.message["Subject"]) == ("alice@example.com", f"Your order {number}")
    assert "3 x Mug <b> (" in arrived.text
    assert "), 0.10 USD each: 0.30 USD\n" in arrived.text
    assert "Subtotal: 20.29 USD\nTotal: 20.29 USD\n" in arrived.text
    assert f"https://shop.example/orders/{order_id}" in arrived.text
    assert "Mug &lt;b&gt;" in arrived.html
    assert "20.29 USD" in arrived.html


@pytest.mark.parametrize(("currency", "price", "total"), [("JPY", 500, "1500 JPY"), ("KWD", 1.25, "3.750 KWD")])
def test_an_order_has_the_decimals_of_its_currency(
    make_with: MakeWith, do: Do, server: MailServer, currency: str, price: float, total: str
) -> None:
    shop = make_with(currency=currency)
    added = shop.staff().post("/products", {"name": "Mug", "price": price, "stock": 5})
    order_id = order(shop.customer(), (added.json["product_id"], 3))

    do("order_placed", order_id=order_id)

    [arrived] = server.arrived
    assert f"\nTotal: {total}\n" in arrived.text
    assert f">{total}<" in arrived.html


def test_an_orders_mail_is_the_same_mail_however_often_it_is_sent(make: Make, do: Do, server: MailServer) -> None:
    alice, mug = make.customer(), make.product()
    first, second = order(alice, (mug, 1)), order(alice, (mug, 1))

    for order_id in (first, first, second):
        do("order_placed", order_id=order_id)

    once, again, other = [arrived.message["Message-ID"] for arrived in server.arrived]
    assert once == again != other


def test_an_order_that_is_canceled_by_then_is_not_confirmed(make: Make, do: Do, server: MailServer) -> None:
    alice = make.customer()
    order_id = order(alice, (make.product(), 1))
    assert alice.post(f"/orders/{order_id}/cancel").status == 200

    do("order_placed", order_id=order_id)

    assert server.arrived == []


def test_the_order_of_an_erased_account_is_not_confirmed(make: Make, do: Do, server: MailServer) -> None:
    alice = make.customer()
    order_id = order(alice, (make.product(), 1))
    assert alice.delete("/account").status == 200

    do("order_placed", order_id=order_id)

    assert server.arrived == []


def export_path_in(arrived: Arrived) -> str:
    """Return the path of the link to an export, which text and HTML have alike."""
    [path] = re.findall(r"^https://shop\.example(/account/exports/\S+)$", arrived.text, re.MULTILINE)
    assert isinstance(path, str)
    assert f'href="https://shop.example{path}"' in arrived.html
    return path


def test_a_link_to_an_export_downloads_it(db: Database, make: Make, do: Do, server: MailServer, alice: Caller) -> None:
    export_id = asked_for(alice)
    make_export(db, export_id)
    with db.write() as session:
        session.execute(update(Export).values(expires_at=datetime(2099, 3, 1, 12, 30, 59, tzinfo=UTC)))

    do("export_ready", export_id=export_id)

    [arrived] = server.arrived
    assert (arrived.rcpt_to, arrived.message["Subject"]) == ("alice@example.com", "Your data is ready")
    assert "Until 2099-03-01 12:30 UTC you can download it here" in arrived.text
    path = export_path_in(arrived)
    downloaded = make.anyone().get(path)
    assert (downloaded.status, downloaded.json["customer_id"]) == (200, alice.customer_id)
    assert path.rpartition("/")[2] not in str(make.everything())


def test_a_newer_mail_makes_the_older_link_to_an_export_useless(
    db: Database, make: Make, do: Do, server: MailServer, alice: Caller
) -> None:
    export_id = asked_for(alice)
    make_export(db, export_id)

    for _ in range(2):
        do("export_ready", export_id=export_id)

    first, second = server.arrived
    assert make.anyone().get(export_path_in(first)).status == 404
    assert make.anyone().get(export_path_in(second)).status == 200


def test_a_link_to_an_export_that_could_not_be_sent_is_sent_by_the_next_try(
    db: Database, make: Make, do: Do, server: MailServer, alice: Caller
) -> None:
    export_id = asked_for(alice)
    make_export(db, export_id)
    server.mailbox.answers["RCPT"] = "451 later"
    with pytest.raises(MailNotSent):
        do("export_ready", export_id=export_id)
    server.mailbox.answers.clear()

    do("export_ready", export_id=export_id)

    [arrived] = server.arrived
    assert make.anyone().get(export_path_in(arrived)).status == 200


def test_an_export_that_is_not_there_is_not_announced(
    db: Database, make: Make, do: Do, server: MailServer, alice: Caller
) -> None:
    pending = asked_for(alice)
    do("export_ready", export_id=pending)
    make_export(db, pending)
    let_pass(db, timedelta(days=8))
    do("export_ready", export_id=pending)
    ready = asked_for(alice)
    make_export(db, ready)
    assert alice.delete("/account").status == 200
    before = make.everything()

    do("export_ready", export_id=ready)

    assert server.arrived == []
    assert make.everything() == before


def test_a_broken_template_sends_no_half_a_mail(make: Make, do: Do, server: MailServer, tmp_path: Path) -> None:
    alice = make.customer()
    order_id = order(alice, (make.product(), 1))
    own = tmp_path / "order_placed.mjml"
    own.write_text("<mjml><mj-body>\n<mj-raw>{{ nobody }}</mj-raw></mj-body></mjml>")

    with pytest.raises(TemplateBroken) as broken:
        do("order_placed", order_id=order_id)

    assert str(broken.value) == f"{own}, line 2: 'nobody' is undefined"
    assert server.arrived == []
    own.unlink()
    do("order_placed", order_id=order_id)
    assert len(server.arrived) == 1
