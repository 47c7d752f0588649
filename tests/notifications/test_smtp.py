"""Mail over SMTP, against a real server: what arrives, over which connection, and how each failure is told."""

import ssl
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from email.utils import parsedate_to_datetime

import pytest
import trustme

from flaskart.kit import clock
from flaskart.notifications.errors import MailNotSent, MailRefused
from flaskart.notifications.provider import Mail, Mailbox
from flaskart.notifications.providers.smtp import Security, SmtpTransport
from tests.postgres import free_port
from tests.smtp import ACCOUNT, DROP, HANG, HOST, MailServer, certificate_of, mail_server, mute_server, trust_in

MAIL = Mail(
    sender=Mailbox("shop@example.com", "The Shop"),
    to="alice@example.com",
    subject="Your order",
    text="Thank you.\n",
    html="<p>Thank you.</p>\n",
    reference="order 1",
)
USERNAME, PASSWORD = (word.decode() for word in ACCOUNT)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


def private_server(
    security: Security, certificate: ssl.SSLContext, *, needs_login: bool = False
) -> AbstractContextManager[MailServer]:
    if security is Security.TLS:
        return mail_server(tls=certificate)
    return mail_server(starttls=certificate, needs_login=needs_login)


def to(port: int, security: Security = Security.NONE, **changed: object) -> SmtpTransport:
    return replace(SmtpTransport(HOST, port, security, timeout_seconds=5), **changed)  # type: ignore[arg-type]


def test_a_mail_has_a_text_and_the_same_as_html(server: MailServer) -> None:
    to(server.port).send(MAIL)

    [arrived] = server.arrived
    assert arrived.message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in arrived.message.iter_parts()] == ["text/plain", "text/html"]
    assert (arrived.text, arrived.html) == (MAIL.text, MAIL.html)


def test_a_mail_says_whom_it_is_from_and_that_no_person_wrote_it(server: MailServer) -> None:
    before = clock.now().replace(microsecond=0)

    to(server.port).send(MAIL)

    [arrived] = server.arrived
    headers = arrived.message
    assert (arrived.mail_from, arrived.rcpt_to) == ("shop@example.com", "alice@example.com")
    assert (headers["From"], headers["To"]) == ("The Shop <shop@example.com>", "alice@example.com")
    assert headers["Auto-Submitted"] == "auto-generated"
    assert before <= parsedate_to_datetime(headers["Date"]) <= clock.now()
    assert headers.keys() == [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
    ]


def test_a_mail_sent_again_is_the_same_mail(server: MailServer) -> None:
    for reference in ("order 1", "order 1", "order 2"):
        to(server.port).send(replace(MAIL, reference=reference))

    first, again, other = [arrived.message["Message-ID"] for arrived in server.arrived]
    assert first == again != other
    assert first.endswith("@example.com>")


def test_lines_are_short_enough_for_every_server(server: MailServer) -> None:
    long = replace(MAIL, to=f"{'a' * 64}@{'b' * 60}.{'c' * 60}.example", subject="x" * 5_000, html="y" * 50_000)

    to(server.port).send(long)

    [arrived] = server.arrived
    assert max(map(len, arrived.raw.split(b"\r\n"))) <= 998  # RFC 5322, section 2.1.1
    assert arrived.raw.isascii()
    assert arrived.rcpt_to == arrived.message["To"] == long.to
    assert (arrived.message["Subject"], arrived.html) == (long.subject, long.html + "\n")


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_mail_and_password_go_through_an_encrypted_connection(authority: trustme.CA, security: Security) -> None:
    account = {"username": USERNAME, "password": PASSWORD} if security is Security.STARTTLS else {}

    with private_server(security, certificate_of(authority), needs_login=bool(account)) as server:
        to(server.port, security, tls=trust_in(authority), **account).send(MAIL)

    [arrived] = server.arrived
    assert arrived.was_encrypted
    assert arrived.user == (ACCOUNT[0] if account else None)


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
@pytest.mark.parametrize(
    ("host", "is_trusted", "reason"),
    [
        (HOST, False, "unable to get local issuer certificate"),
        ("smtp.example", True, "IP address mismatch, certificate is not valid for '127.0.0.1'"),
    ],
)
def test_a_server_that_cannot_prove_its_name_gets_no_mail(
    authority: trustme.CA, security: Security, host: str, is_trusted: bool, reason: str
) -> None:
    tls = trust_in(authority) if is_trusted else ssl.create_default_context()

    with (
        private_server(security, certificate_of(authority, host)) as server,
        pytest.raises(MailNotSent) as failed,
    ):
        to(server.port, security, tls=tls).send(MAIL)

    assert server.arrived == []
    assert str(failed.value).startswith(
        f"the mail server {HOST}:{server.port} has a certificate that is not trusted: {reason}"
    )


def test_a_server_that_offers_no_encryption_gets_no_mail(server: MailServer) -> None:
    with pytest.raises(MailNotSent, match="cannot be used: STARTTLS extension not supported by server"):
        to(server.port, Security.STARTTLS).send(MAIL)

    assert server.arrived == []


def test_a_wrong_password_is_told_without_the_password(authority: trustme.CA) -> None:
    with mail_server(starttls=certificate_of(authority), needs_login=True) as server:
        transport = to(server.port, Security.STARTTLS, tls=trust_in(authority), username=USERNAME, password="guessed")
        with pytest.raises(MailNotSent) as failed:
            transport.send(MAIL)

    assert server.arrived == []
    assert str(failed.value) == f"the mail server {HOST}:{server.port} refuses the username and password: 535"
    assert "guessed" not in f"{transport} {failed.value!r}"


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(("code", "error"), [(451, MailNotSent), (550, MailRefused)])
def test_the_servers_answer_tells_whether_to_try_again(step: str, code: int, error: type[MailNotSent]) -> None:
    whose = {"MAIL": "sender", "RCPT": "recipient", "DATA": "mail"}[step]

    with (
        mail_server(answers={step: f"{code} 5.7.1 <Alice@Example.com>: not today"}) as server,
        pytest.raises(error) as failed,
    ):
        to(server.port).send(MAIL)

    assert type(failed.value) is error
    assert server.arrived == []
    said = f"refuses the {whose}: {code} 5.7.1 <…>: not today"
    assert str(failed.value) == f"the mail server {HOST}:{server.port} {said}"


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("fault", [HANG, DROP])
def test_a_server_that_falls_silent_is_given_up_in_time(step: str, fault: str) -> None:
    with (
        mail_server(answers={step: fault}) as server,
        pytest.raises(MailNotSent, match="cannot be reached or broke off"),
    ):
        to(server.port, timeout_seconds=0.3).send(MAIL)

    assert server.arrived == []


def test_where_no_server_is_or_none_speaks_nobody_waits_for_long() -> None:
    with pytest.raises(MailNotSent, match=r"cannot be reached or broke off: .*Connection refused"):
        to(free_port()).send(MAIL)
    with mute_server() as port, pytest.raises(MailNotSent, match=r"cannot be reached or broke off: .*timed out"):
        to(port, timeout_seconds=0.3).send(MAIL)


def test_a_lost_answer_is_the_same_mail_twice() -> None:
    with mail_server(answers={"AFTER DATA": DROP}) as server:
        with pytest.raises(MailNotSent):
            to(server.port).send(MAIL)
        server.mailbox.answers.clear()
        to(server.port).send(MAIL)

    first, again = [arrived.message["Message-ID"] for arrived in server.arrived]
    assert first == again


@pytest.mark.parametrize("answer", [DROP, HANG, "500 no"])
def test_a_mail_that_was_taken_is_sent_however_the_server_says_goodbye(answer: str) -> None:
    with mail_server(answers={"QUIT": answer}) as server:
        to(server.port, timeout_seconds=0.3).send(MAIL)

    assert len(server.arrived) == 1


def test_an_address_that_a_server_cannot_take_is_refused_for_good() -> None:
    with (
        mail_server(takes_utf8=False) as server,
        pytest.raises(MailRefused, match=r"takes no address with letters beyond ASCII"),
    ):
        to(server.port).send(replace(MAIL, to="rené@example.com"))

    assert server.arrived == []
