"""Mail for developers: it is printed and goes nowhere. Links and their tokens are in it."""

from dataclasses import dataclass
from typing import TextIO

from flaskart.notifications.mime import as_message
from flaskart.notifications.provider import Mail


@dataclass(frozen=True, slots=True)
class ConsoleTransport:
    """Prints the text part of each mail to `stream`."""

    stream: TextIO

    def send(self, mail: Mail) -> None:
        """Print a mail. What SMTP would refuse is refused here as well."""
        message = as_message(mail)
        headers = "".join(f"{name}: {message[name]}\n" for name in ("From", "To", "Subject"))
        self.stream.write(f"{headers}\n{mail.text.rstrip()}\n\n")
        self.stream.flush()
