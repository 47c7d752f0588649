"""A real SMTP server on loopback: keeps what arrives, and fails where it is told to."""

import asyncio
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from tests.postgres import free_port

HOST = "127.0.0.1"
HANG, DROP = "hang", "drop"
ACCOUNT = (b"shop", b"a password of the shop's")


@dataclass(frozen=True)
class Arrived:
    """A mail as the server was given it."""

    mail_from: str
    rcpt_to: str
    raw: bytes
    was_encrypted: bool
    user: bytes | None

    @property
    def message(self) -> EmailMessage:
        message = message_from_bytes(self.raw, policy=default)
        assert isinstance(message, EmailMessage)
        assert not message.defects
        return message

    @property
    def text(self) -> str:
        return self.part("plain")

    @property
    def html(self) -> str:
        return self.part("html")

    def part(self, kind: str) -> str:
        [part] = [part for part in self.message.walk() if part.get_content_type() == f"text/{kind}"]
        content = part.get_content()
        assert isinstance(content, str)
        return content.replace("\r\n", "\n")


@dataclass
class Mailbox:
    """Takes mail. `answers` says what to reply at a step instead of 250: an SMTP reply, or to hang or drop."""

    arrived: list[Arrived] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)

    async def handle_MAIL(  # noqa: N802 - these names are aiosmtpd's
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        envelope.mail_from = address
        return await self._answer("MAIL", server)

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return await self._answer("RCPT", server)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if "DATA" not in self.answers:
            [to] = envelope.rcpt_tos
            raw = envelope.original_content
            assert raw is not None
            assert server.transport is not None
            is_encrypted = server.transport.get_extra_info("ssl_object") is not None
            self.arrived.append(Arrived(str(envelope.mail_from), to, raw, is_encrypted, session.auth_data))
        return await self._answer("AFTER DATA" if "AFTER DATA" in self.answers else "DATA", server)

    async def handle_QUIT(self, server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802
        return await self._answer("QUIT", server)

    async def _answer(self, step: str, server: SMTP) -> str:
        answer = self.answers.get(step, "250 OK")
        if answer == HANG:
            await asyncio.Event().wait()
        if answer == DROP:
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
        return answer


@dataclass(frozen=True)
class MailServer:
    port: int
    mailbox: Mailbox

    @property
    def arrived(self) -> list[Arrived]:
        return self.mailbox.arrived


@contextmanager
def mail_server(
    *,
    tls: ssl.SSLContext | None = None,
    starttls: ssl.SSLContext | None = None,
    needs_login: bool = False,
    takes_utf8: bool = True,
    answers: Mapping[str, str] | None = None,
) -> Iterator[MailServer]:
    """Run a server until the block ends; `answers` are by step, such as `{"RCPT": "550 no such person"}`."""
    mailbox = Mailbox(answers=dict(answers or {}))
    options: dict[str, Any] = {"tls_context": starttls, "require_starttls": starttls is not None}
    if needs_login:
        options |= {"authenticator": _is_known, "auth_required": True}
    controller = Controller(
        mailbox,
        hostname=HOST,
        port=free_port(),
        ssl_context=tls,
        enable_SMTPUTF8=takes_utf8,
        **{name: value for name, value in options.items() if value},
    )
    controller.start()
    try:
        yield MailServer(controller.port, mailbox)
    finally:
        controller.stop()


@contextmanager
def mute_server() -> Iterator[int]:
    """Yield the port of a server that takes connections and never says a word."""
    with socket.create_server((HOST, 0)) as listener:
        yield listener.getsockname()[1]


def certificate_of(authority: trustme.CA, host: str = HOST) -> ssl.SSLContext:
    """Return a server's TLS settings with a certificate for `host`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    return context


def trust_in(authority: trustme.CA) -> ssl.SSLContext:
    """Return a client's TLS settings that trust the authority and check the name."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def _is_known(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    is_right = (data.login, data.password) == ACCOUNT
    return AuthResult(success=is_right, handled=is_right, auth_data=data.login if is_right else None)
