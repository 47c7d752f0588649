"""`flaskart init`: set up a shop."""

import os
import secrets
from pathlib import Path

import click

from flaskart.kit.db import Database
from flaskart.migrations import head_revision, runner
from flaskart.settings import Settings


@click.command()
def init() -> None:
    """Make the instance folder, a random secret and the database, and migrate it. May be repeated."""
    settings = Settings.load()
    if settings.secret_key is None or settings.database_url is None:
        settings.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    if settings.secret_key is None and not settings.secret_file.exists():
        write_secret(settings.secret_file)
        click.echo(f"Wrote a new secret to {settings.secret_file}")
    settings.secret()
    runner.upgrade(Database(settings.database))
    click.echo(f"The database is at revision {head_revision()}")


def write_secret(path: Path) -> None:
    """Write a random secret that only the owner of the file can read, from its first moment on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
