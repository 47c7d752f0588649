"""A mail as the bytes that go over the wire: multipart/alternative, with headers nobody can write into (RFC 5322)."""

import hashlib
import unicodedata
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from email_validator import EmailNotValidError, validate_email

from flaskart.kit import clock
from flaskart.notifications.errors import MailRefused
from flaskart.notifications.provider import Mail

# 7 bits pass every server; what needs more is encoded.
POLICY = SMTP.clone(cte_type="7bit")


def as_message(mail: Mail) -> EmailMessage:
    """Return a mail as a MIME message: the text first, the HTML as its better alternative.

    Raises:
        MailRefused: the recipient is no address, or a header holds a line break or another control character.
    """
    message = EmailMessage(policy=POLICY)
    sender = _address(mail.sender.address, _line(mail.sender.name, "sender's name"))
    message["From"] = sender
    message["To"] = _address(recipient(mail.to))
    message["Subject"] = _line(mail.subject, "subject")
    message["Date"] = format_datetime(clock.now())
    digest = hashlib.sha256(mail.reference.encode()).hexdigest()
    message["Message-ID"] = f"<{digest[:32]}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"  # so that no absent person's mailbox answers (RFC 3834, section 5)
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


def recipient(address: str) -> str:
    """Return an address as it is sent to: its domain in ASCII, its local part as it is (SMTPUTF8, RFC 6531).

    Raises:
        MailRefused: it is not an address.
    """
    try:
        valid = validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        raise MailRefused("the recipient's address is not valid") from None
    return f"{valid.local_part}@{valid.ascii_domain}"


def _address(address: str, name: str = "") -> Address:
    local_part, _, domain = address.rpartition("@")
    return Address(name, local_part, domain)


def _line(text: str, what: str) -> str:
    if any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in text):
        raise MailRefused(f"the {what} has a line break or another control character")
    return text
