"""The socket for mail: what a transport is given, what it has to do, and how it may fail."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address, and the name shown beside it."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one person, ready to be sent.

    Two mails of the same `reference` are the same mail sent twice, and have the same `Message-ID`.
    """

    sender: Mailbox
    to: str
    subject: str
    text: str
    html: str
    reference: str


class MailTransport(Protocol):
    """A way to send mail."""

    def send(self, mail: Mail) -> None:
        """Hand over one mail. Never inside a transaction, since it may take as long as the other side likes.

        May be repeated: then the mail may arrive twice, under one `Message-ID`.

        Raises:
            MailRefused: no try will ever succeed: the address or the subject is not one, or the other side says so.
            MailNotSent: another try may succeed. Where a connection is lost, nobody knows whether it was sent.
        """
