"""What a mail is for: from the request, through the shop's worker and a mail server, to what its link opens."""

import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from flaskart.kit.db import Database
from flaskart.mailing import create_mailer
from flaskart.worker import create_worker
from tests.callers import Caller, Make
from tests.conftest import settings_of
from tests.smtp import HOST, Arrived, MailServer, mail_server

ADA = {"username": "ada", "email": "ada@example.com", "password": "long enough"}
Work = Callable[[], None]


@pytest.fixture
def mailbox() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


@pytest.fixture
def work(db: Database, database_url: str, mailbox: MailServer) -> Work:
    """Have the shop's worker do all there is to do, with mail."""
    settings = settings_of(
        database_url,
        mail_transport="smtp",
        mail_smtp_host=HOST,
        mail_smtp_port=mailbox.port,
        mail_smtp_security="none",
        mail_from_address="shop@example.com",
        storefront_url="https://shop.example",
    )
    worker = create_worker(db, create_mailer(settings))

    def work() -> None:
        while worker.run_next():
            pass

    return work


def mail_about(mailbox: MailServer, subject: str) -> Arrived:
    """Return the one mail to Ada that has this subject."""
    [arrived] = [arrived for arrived in mailbox.arrived if arrived.message["Subject"] == subject]
    assert arrived.rcpt_to == "ada@example.com"
    return arrived


def link_in(arrived: Arrived) -> str:
    [link] = re.findall(r"^https://shop\.example(/\S+)$", arrived.text, re.MULTILINE)
    assert isinstance(link, str)
    return link


def token_in(arrived: Arrived) -> str:
    return urlsplit(link_in(arrived)).query.removeprefix("token=")


def sign_in(anyone: Caller, **body: str) -> Caller:
    answer = anyone.post("/auth/login", body)
    assert answer.status == 200
    return Caller(anyone.send, answer.json["access_token"])


def test_whoever_registers_proves_their_address_before_they_sign_in(
    make_with: Callable[..., Make], work: Work, mailbox: MailServer
) -> None:
    anyone = make_with(require_verified_email=True).anyone()
    assert anyone.post("/auth/register", ADA).status == 201
    refused = anyone.post("/auth/login", {"username": "ada", "password": "long enough"})
    assert (refused.status, refused.json["code"]) == (403, "email_not_verified")

    work()
    token = token_in(mail_about(mailbox, "Confirm your e-mail address"))
    verified = anyone.post("/auth/verify-email", {"token": token})

    assert verified.status == 200
    account = sign_in(anyone, username="ada", password="long enough").get("/account").json
    assert account["user"]["is_email_verified"] is True
    assert anyone.post("/auth/verify-email", {"token": token}).status == 422
