"""`flaskart mail`: what the shop writes, and whether it arrives."""

import click

from flaskart.cli.shop import as_json, print_rows
from flaskart.kit import clock
from flaskart.kit.ids import random_uuid
from flaskart.mailing import create_mailer
from flaskart.notifications.messages import MailTest
from flaskart.notifications.samples import SAMPLES
from flaskart.notifications.templates import BUILT_IN, HTML, SUBJECT, TEXT
from flaskart.settings import Settings


@click.group()
def mail() -> None:
    """Look at the shop's mail, and try it out."""


@mail.command("list")
@as_json
def list_messages(is_json: bool) -> None:
    """List the messages, and which of their templates are the shop's own."""
    templates = create_mailer(Settings.load()).templates
    rows: list[dict[str, object]] = []
    for name in SAMPLES:
        files = [templates.source_of(name + part) for part in (SUBJECT, TEXT, HTML)]
        own = [file.name for file in files if file.parent != BUILT_IN]
        rows.append({"message": name, "own": own if is_json else ", ".join(own) or "-"})
    print_rows(rows, is_json=is_json)


@mail.command()
@click.argument("name", type=click.Choice(list(SAMPLES)))
@click.option("--html", "part", flag_value="html", help="Print the HTML part alone, for a browser.")
@click.option("--text", "part", flag_value="text", help="Print the text part alone.")
def preview(name: str, part: str | None) -> None:
    """Print the message NAME with made-up values: its subject and text, unless told otherwise."""
    written = create_mailer(Settings.load()).templates.write(SAMPLES[name])
    if part == "html":
        click.echo(written.html)
    elif part == "text":
        click.echo(written.text, nl=False)
    else:
        click.echo(f"Subject: {written.subject}\n\n{written.text}", nl=False)


@mail.command()
@click.argument("address")
def test(address: str) -> None:
    """Send a mail to ADDRESS as the shop would."""
    mailer = create_mailer(Settings.load())
    mailer.send(MailTest(sent_at=f"{clock.now():%Y-%m-%d %H:%M} UTC"), to=address, reference=random_uuid())
    click.echo("Sent.")
