"""What sends the shop's mail, built from its settings. Apart from the app, which has no use for it."""

import sys

from flaskart.notifications.mailer import Mailer
from flaskart.notifications.provider import Mailbox, MailTransport
from flaskart.notifications.providers.console import ConsoleTransport
from flaskart.notifications.providers.smtp import Security, SmtpTransport
from flaskart.notifications.templates import Templates
from flaskart.settings import Settings, SettingsError


def create_mailer(settings: Settings) -> Mailer:
    """Build what sends the shop's mail. Nothing is connected yet.

    Raises:
        SettingsError: the mail settings do not fit together.
    """
    own = settings.mail_templates
    if own is not None and not own.is_dir():
        raise SettingsError(f"FLASKART_MAIL_TEMPLATES: there is no folder {own}")
    shared = {"shop_name": settings.mail_from_name, "shop_url": settings.storefront_url}
    return Mailer(
        transport=_transport(settings),
        templates=Templates(own, shared),
        sender=Mailbox(settings.mail_from_address or "shop@localhost", settings.mail_from_name),
        storefront_url=settings.storefront_url,
    )


def _transport(settings: Settings) -> MailTransport:
    if settings.mail_transport == "console":
        return ConsoleTransport(sys.stdout)
    if settings.mail_from_address is None:
        raise SettingsError("FLASKART_MAIL_FROM_ADDRESS is needed to send mail by SMTP")
    security = Security(settings.mail_smtp_security)
    username, password = settings.mail_smtp_username, settings.mail_smtp_password
    if (username is None) != (password is None):
        raise SettingsError("FLASKART_MAIL_SMTP_USERNAME and FLASKART_MAIL_SMTP_PASSWORD: set both or none")
    if password is not None and security is Security.NONE:
        raise SettingsError("FLASKART_MAIL_SMTP_SECURITY=none: no password is sent without encryption")
    return SmtpTransport(
        host=settings.mail_smtp_host,
        port=settings.mail_smtp_port or security.port,
        security=security,
        timeout_seconds=settings.mail_smtp_timeout_seconds,
        username=username,
        password=None if password is None else password.get_secret_value(),
    )
