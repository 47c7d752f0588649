"""What every mail transport keeps to, whichever it is: printed mail and sent mail alike."""

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest

from flaskart.notifications.errors import MailRefused
from flaskart.notifications.provider import Mail, Mailbox, MailTransport
from flaskart.notifications.providers.console import ConsoleTransport
from flaskart.notifications.providers.smtp import Security, SmtpTransport
from tests.smtp import HOST, mail_server

MAIL = Mail(
    sender=Mailbox("shop@example.com", "The Shop"),
    to="alice@example.com",
    subject="Your order",
    text="Thank you.\n",
    html="<p>Thank you.</p>\n",
    reference="order 1",
)


@dataclass(frozen=True)
class Seen:
    """What the receiving side sees of a mail."""

    sender: str
    to: str
    subject: str
    text: str


@dataclass(frozen=True)
class Plug:
    transport: MailTransport
    seen: Callable[[], list[Seen]]


@contextmanager
def console() -> Iterator[Plug]:
    stream = io.StringIO()
    shape = re.compile(r"From: ([^\n]+)\nTo: ([^\n]+)\nSubject: ([^\n]+)\n\n(.*?\n)\n(?=From: |\Z)", re.DOTALL)
    yield Plug(ConsoleTransport(stream), lambda: [Seen(*parts) for parts in shape.findall(stream.getvalue())])


@contextmanager
def smtp() -> Iterator[Plug]:
    with mail_server() as server:
        transport = SmtpTransport(HOST, server.port, Security.NONE, timeout_seconds=5)
        yield Plug(
            transport,
            lambda: [
                Seen(mail.message["From"], mail.message["To"], mail.message["Subject"], mail.text)
                for mail in server.arrived
            ],
        )


@pytest.fixture(params=[console, smtp], ids=lambda plug: plug.__name__)
def plug(request: pytest.FixtureRequest) -> Iterator[Plug]:
    with request.param() as opened:
        yield opened


def test_a_mail_arrives_as_it_was_written(plug: Plug) -> None:
    plug.transport.send(MAIL)

    assert plug.seen() == [
        Seen("The Shop <shop@example.com>", "alice@example.com", "Your order", "Thank you.\n"),
    ]


def test_each_mail_arrives_once(plug: Plug) -> None:
    for name in ("alice", "bob"):
        plug.transport.send(replace(MAIL, to=f"{name}@example.com"))

    assert [seen.to for seen in plug.seen()] == ["alice@example.com", "bob@example.com"]


def test_any_language_arrives_unharmed(plug: Plug) -> None:
    mail = replace(
        MAIL,
        sender=Mailbox("shop@example.com", "Käse & Söhne, «Größe»"),
        to="rené@münchen.example",
        subject="Ваш заказ 注文 🧀" * 20,
        text=f"Grüße\n.\n..{'長' * 2_000}\n",
    )

    plug.transport.send(mail)

    [seen] = plug.seen()
    assert seen.sender == '"Käse & Söhne, «Größe»" <shop@example.com>'
    assert seen.to == "rené@xn--mnchen-3ya.example"
    assert (seen.subject, seen.text) == (mail.subject, mail.text)


@pytest.mark.parametrize(
    "broken",
    [
        replace(MAIL, subject="Your order\r\nBcc: everybody@example.com"),
        replace(MAIL, subject="Your order\nBcc: everybody@example.com"),
        replace(MAIL, subject="Your order\u2028Bcc: everybody@example.com"),
        replace(MAIL, subject="Your order\x00"),
        replace(MAIL, sender=Mailbox("shop@example.com", "The Shop\r\nBcc: everybody@example.com")),
        replace(MAIL, to="alice@example.com\r\nBcc: everybody@example.com"),
        replace(MAIL, to="alice@example.com, everybody@example.com"),
        replace(MAIL, to="alice@example.com>\r\nRCPT TO:<everybody@example.com"),
        replace(MAIL, to="@erased-1"),
        replace(MAIL, to=""),
    ],
    ids=lambda mail: ascii(f"{mail.to} {mail.subject}"),
)
def test_what_could_write_into_the_headers_is_refused_and_nothing_is_sent(plug: Plug, broken: Mail) -> None:
    with pytest.raises(MailRefused) as refused:
        plug.transport.send(broken)

    assert plug.seen() == []
    assert "@" not in str(refused.value)
