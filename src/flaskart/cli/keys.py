"""`flaskart keys`: another secret for the shop, without anybody noticing."""

import os

import click

from flaskart.accounts.actions import seal_anew
from flaskart.cli.setup import write_secret
from flaskart.cli.shop import open_shop
from flaskart.kit.seals import Seals
from flaskart.settings import PREFIX, Settings


@click.group()
def keys() -> None:
    """Rotate the secret that signs tokens and seals what is stored."""


@keys.command()
def rotate() -> None:
    """Write a new secret and keep the old one, which is believed until `flaskart keys retire`.

    The new one signs as soon as the shop is started again.
    """
    settings = Settings.load()
    if settings.secret_key is not None:
        raise click.ClickException(
            f"the secret is in {PREFIX}SECRET_KEY: put a new one there, and the old one in {PREFIX}OLD_SECRET_KEYS"
        )
    old = settings.secret()
    if b"\n" in old:
        raise click.ClickException(f"{settings.secret_file} holds a line break, which an old secret cannot")
    # Kept before it is replaced: whenever this is cut short, no secret is lost.
    descriptor = os.open(settings.old_secrets_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(old + b"\n")
        file.flush()
        os.fsync(file.fileno())
    new_file = settings.secret_file.with_suffix(".new")
    new_file.unlink(missing_ok=True)
    write_secret(new_file)
    new_file.replace(settings.secret_file)
    click.echo(
        f"Wrote a new secret to {settings.secret_file}; the old one is in {settings.old_secrets_file}\n"
        "Start the shop again now, and run `flaskart keys retire` in two days or later"
    )


@keys.command()
def retire() -> None:
    """Seal anew what an older secret sealed, and forget the older ones. Two days after `rotate`, nothing needs them."""
    settings, db = open_shop()
    with db.write() as session:
        count = seal_anew(session, Seals([settings.secret(), *settings.old_secrets()]))
    settings.old_secrets_file.unlink(missing_ok=True)
    click.echo(f"Sealed {count} second factors anew; no older secret is needed any more")
    if settings.old_secret_keys is not None:
        click.echo(f"Empty {PREFIX}OLD_SECRET_KEYS, and start the shop again")
