"""How mail can fail. Nobody's request waits for it, so these are for whoever runs the shop."""

from flaskart.kit.errors import OperatorError


class MailNotSent(OperatorError):
    """The mail is not on its way, or nobody knows; it is worth another try."""


class MailRefused(MailNotSent):
    """This mail will never be taken: its address or its content is refused."""


class TemplateBroken(OperatorError):
    """A template cannot be used: which file, which line, and why."""
