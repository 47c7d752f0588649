"""Mail over SMTP (RFC 5321): one connection for each mail, as long as the server's answers take."""

import re
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

from flaskart.notifications.errors import MailNotSent, MailRefused
from flaskart.notifications.mime import as_message, recipient
from flaskart.notifications.provider import Mail

MAX_REPLY = 200


class Security(StrEnum):
    """How the connection is kept private: from its first byte, from STARTTLS on, or not at all."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"

    @property
    def port(self) -> int:
        """The port that servers listen on for this."""
        return {Security.TLS: 465, Security.STARTTLS: 587, Security.NONE: 25}[self]


@dataclass(frozen=True, slots=True)
class SmtpTransport:
    """Sends mail through a server. Its certificate must be valid for `host`; no step waits longer than the timeout."""

    host: str
    port: int
    security: Security
    timeout_seconds: float
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def send(self, mail: Mail) -> None:
        message = as_message(mail)
        try:
            smtp = self._connect()
            try:
                self._introduce(smtp)
                smtp.send_message(message, from_addr=mail.sender.address, to_addrs=[recipient(mail.to)])
                with suppress(OSError):  # the mail is theirs, whatever they say now
                    smtp.quit()
            finally:
                smtp.close()
        except OSError as failure:  # which smtplib's own errors are, too
            raise _told(failure, self, mail) from None  # they have the address in them

    def _connect(self) -> smtplib.SMTP:
        if self.security is Security.TLS:
            return smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout_seconds, context=self.tls)
        return smtplib.SMTP(self.host, self.port, timeout=self.timeout_seconds)

    def _introduce(self, smtp: smtplib.SMTP) -> None:
        if self.security is Security.STARTTLS:
            smtp.starttls(context=self.tls)
        if self.username is not None and self.password is not None:
            smtp.login(self.username, self.password)


def _told(failure: OSError, server: SmtpTransport, mail: Mail) -> MailNotSent:
    """Return what went wrong, for the log: who the mail was for is not in it."""
    kind = MailNotSent
    match failure:
        case smtplib.SMTPRecipientsRefused():
            [(code, reply)] = failure.recipients.values()
            kind, reason = _weigh(code), f"refuses the recipient: {_reply(code, reply, mail)}"
        case smtplib.SMTPSenderRefused():
            kind = _weigh(failure.smtp_code)
            reason = f"refuses the sender: {_reply(failure.smtp_code, failure.smtp_error, mail)}"
        case smtplib.SMTPDataError():
            kind = _weigh(failure.smtp_code)
            reason = f"refuses the mail: {_reply(failure.smtp_code, failure.smtp_error, mail)}"
        case smtplib.SMTPAuthenticationError():
            reason = f"refuses the username and password: {failure.smtp_code}"
        case smtplib.SMTPResponseException():
            reason = f"says {_reply(failure.smtp_code, failure.smtp_error, mail)}"
        case smtplib.SMTPNotSupportedError() if not recipient(mail.to).isascii():
            kind, reason = MailRefused, "takes no address with letters beyond ASCII (SMTPUTF8)"
        case ssl.SSLCertVerificationError():
            reason = f"has a certificate that is not trusted: {failure.verify_message}"
        case smtplib.SMTPNotSupportedError():
            reason = f"cannot be used: {failure}"
        case _:
            reason = f"cannot be reached or broke off: {failure}"
    return kind(f"the mail server {server.host}:{server.port} {reason}")


def _weigh(code: int) -> type[MailNotSent]:
    """Tell by the reply's first digit whether it is for good (RFC 5321, section 4.2.1)."""
    return MailRefused if code >= 500 else MailNotSent


def _reply(code: int, reply: bytes | str, mail: Mail) -> str:
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
    for address in (recipient(mail.to), mail.to):
        text = re.sub(re.escape(address), "…", text, flags=re.IGNORECASE)
    return f"{code} {' '.join(text.split())[:MAX_REPLY]}"
