"""A message on its way: written, addressed and handed to a transport."""

from dataclasses import dataclass
from urllib.parse import urlencode

from flaskart.notifications.messages import Message
from flaskart.notifications.provider import Mail, Mailbox, MailTransport
from flaskart.notifications.templates import Templates


@dataclass(frozen=True, slots=True)
class Mailer:
    """What sends a shop's mail. `storefront_url` is the website that links lead to."""

    transport: MailTransport
    templates: Templates
    sender: Mailbox
    storefront_url: str

    def send(self, message: Message, *, to: str, reference: str) -> None:
        """Write a message and send it. Never inside a transaction; mail of one `reference` is the same mail.

        Raises:
            TemplateBroken: nothing was sent, since a part of it cannot be written.
            MailRefused: the transport will never take it.
            MailNotSent: another try may succeed.
        """
        written = self.templates.write(message)
        mail = Mail(self.sender, to, written.subject, written.text, written.html, reference)
        self.transport.send(mail)

    def link(self, path: str, **query: str) -> str:
        """Return the address of a page of the storefront."""
        return f"{self.storefront_url}{path}" + (f"?{urlencode(query)}" if query else "")
