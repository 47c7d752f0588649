"""`flaskart mail`: what is sent can be looked at first, and tried out; a wrong setting is told in one line."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from click.testing import CliRunner

from flaskart.cli import cli
from flaskart.notifications.samples import SAMPLES
from tests.cli.shells import Shell
from tests.smtp import ACCOUNT, HOST, MailServer, certificate_of, mail_server

USERNAME, PASSWORD = (word.decode() for word in ACCOUNT)


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def smtp(authority: trustme.CA) -> Iterator[MailServer]:
    with mail_server(starttls=certificate_of(authority), needs_login=True) as server:
        yield server


@pytest.fixture
def settings(authority: trustme.CA, smtp: MailServer, tmp_path: Path) -> dict[str, str]:
    """What a shop sets to send mail through the server."""
    trusted = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(trusted)
    return {
        "SSL_CERT_FILE": str(trusted),
        "FLASKART_MAIL_TRANSPORT": "smtp",
        "FLASKART_MAIL_FROM_ADDRESS": "shop@example.com",
        "FLASKART_MAIL_FROM_NAME": "Mugs & More",
        "FLASKART_MAIL_SMTP_HOST": HOST,
        "FLASKART_MAIL_SMTP_PORT": str(smtp.port),
        "FLASKART_MAIL_SMTP_USERNAME": USERNAME,
        "FLASKART_MAIL_SMTP_PASSWORD": PASSWORD,
        "FLASKART_STOREFRONT_URL": "https://shop.example",
    }


def test_a_mail_is_sent_for_real(nowhere: Shell, smtp: MailServer, settings: dict[str, str]) -> None:
    printed = nowhere.done("mail", "test", "alice@example.com", **settings)

    assert printed == "Sent.\n"
    [arrived] = smtp.arrived
    assert (arrived.rcpt_to, arrived.was_encrypted, arrived.user) == ("alice@example.com", True, ACCOUNT[0])
    assert arrived.message["From"] == "Mugs & More <shop@example.com>"
    assert arrived.message["Subject"] == "A test mail from Mugs & More"
    assert "Its links lead to https://shop.example." in arrived.text


def test_what_the_server_refuses_is_told_in_one_line(
    nowhere: Shell, smtp: MailServer, settings: dict[str, str]
) -> None:
    smtp.mailbox.answers["RCPT"] = "550 5.1.1 no such person"

    refusal = nowhere.refused("mail", "test", "nobody@example.com", **settings)

    server = f"flaskart: the mail server {HOST}:{smtp.port}"
    assert refusal == f"{server} refuses the recipient: 550 5.1.1 no such person"
    wrong = nowhere.refused("mail", "test", "alice@example.com", **settings | {"FLASKART_MAIL_SMTP_PASSWORD": "wrong"})
    assert wrong == f"{server} refuses the username and password: 535"


def test_without_a_mail_server_mail_is_printed(nowhere: Shell) -> None:
    printed = nowhere.done("mail", "test", "alice@example.com", FLASKART_MAIL_FROM_NAME="Mugs & More")

    headers, _, text = printed.partition("\n\n")
    assert headers.splitlines() == [
        "From: Mugs & More <shop@localhost>",
        "To: alice@example.com",
        "Subject: A test mail from Mugs & More",
    ]
    assert text.startswith("This is a test, ")
    assert text.endswith("\n\nSent.\n")


@pytest.mark.parametrize(
    "address", ["", "alice", "alice@example.com\nBcc: bob@example.com", "a@example.com,b@example.com"]
)
def test_what_is_no_address_is_refused(nowhere: Shell, address: str) -> None:
    refusal = nowhere.refused("mail", "test", address)

    assert refusal == "flaskart: the recipient's address is not valid"


@pytest.mark.parametrize("name", SAMPLES)
def test_a_preview_shows_the_message(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    monkeypatch.chdir(tmp_path)

    whole, text, html = (
        CliRunner().invoke(cli, ["mail", "preview", name, *part], catch_exceptions=False).output
        for part in ((), ("--text",), ("--html",))
    )

    subject, _, rest = whole.partition("\n\n")
    assert subject.startswith("Subject: ")
    assert rest == text
    assert html.startswith("<!DOCTYPE html>")
    assert html.endswith("</html>\n")


def test_a_shop_previews_and_lists_its_own_templates(nowhere: Shell) -> None:
    own = nowhere.folder / "mail"
    own.mkdir()
    (own / "password_changed.txt").write_text("Hallo {{ username }} von {{ shop_name }}")
    settings = {"FLASKART_MAIL_TEMPLATES": "mail"}

    text = nowhere.done("mail", "preview", "password_changed", "--text", **settings)
    rows = json.loads(nowhere.done("mail", "list", "--json", **settings))
    table = nowhere.done("mail", "list", **settings).splitlines()

    assert text == "Hallo alice von Flaskart\n"
    assert [row["message"] for row in rows] == list(SAMPLES)
    assert [row for row in rows if row["own"]] == [{"message": "password_changed", "own": ["password_changed.txt"]}]
    assert [line.split() for line in table if "password_changed" in line] == [
        ["password_changed", "password_changed.txt"]
    ]


def test_a_broken_template_is_told_in_one_line(nowhere: Shell) -> None:
    own = nowhere.folder / "mail"
    own.mkdir()
    (own / "password_changed.mjml").write_text("<mjml><mj-body>\n<mj-raw>{{ nobody }}</mj-raw></mj-body></mjml>")

    refusal = nowhere.refused("mail", "preview", "password_changed", FLASKART_MAIL_TEMPLATES=str(own))

    assert refusal == f"flaskart: {own}/password_changed.mjml, line 2: 'nobody' is undefined"


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"FLASKART_MAIL_FROM_ADDRESS": None}, "FLASKART_MAIL_FROM_ADDRESS is needed to send mail by SMTP"),
        (
            {"FLASKART_MAIL_SMTP_USERNAME": None},
            "FLASKART_MAIL_SMTP_USERNAME and FLASKART_MAIL_SMTP_PASSWORD: set both or none",
        ),
        (
            {"FLASKART_MAIL_SMTP_PASSWORD": None},
            "FLASKART_MAIL_SMTP_USERNAME and FLASKART_MAIL_SMTP_PASSWORD: set both or none",
        ),
        (
            {"FLASKART_MAIL_SMTP_SECURITY": "none"},
            "FLASKART_MAIL_SMTP_SECURITY=none: no password is sent without encryption",
        ),
        ({"FLASKART_MAIL_TEMPLATES": "/no/such/folder"}, "FLASKART_MAIL_TEMPLATES: there is no folder /no/such/folder"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused_in_one_line(
    nowhere: Shell, smtp: MailServer, settings: dict[str, str], changed: dict[str, str | None], refusal: str
) -> None:
    given = {name: value for name, value in (settings | changed).items() if value is not None}

    assert nowhere.refused("mail", "test", "alice@example.com", **given) == f"flaskart: {refusal}"
    assert smtp.arrived == []


def test_a_name_that_is_no_message_is_a_wrong_call(nowhere: Shell) -> None:
    result = nowhere.run("mail", "preview", "nonsense")

    assert (result.returncode, result.stdout) == (2, "")
    assert "'nonsense' is not one of 'verify_email', " in result.stderr
