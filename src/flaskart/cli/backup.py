"""`flaskart backup | restore`: a shop in one file, and out of it."""

from pathlib import Path

import click

from flaskart import backups, migrations
from flaskart.cli.progress import progress
from flaskart.kit.db import Database
from flaskart.settings import Settings


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def backup(file: Path) -> None:
    """Write the shop's data to a new FILE while the shop goes on. The secret is not in it."""
    db = Database(Settings.load().database)
    with progress("Backing up") as report:
        backups.back_up(db, file, report)
    click.echo(f"Wrote {file}, {file.stat().st_size:,} bytes.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def restore(file: Path) -> None:
    """Fill the shop's database, which must be empty, from the backup FILE."""
    db = Database(Settings.load().database)
    with progress("Restoring") as report:
        revision = backups.restore(db, file, report)
    click.echo(f"Restored {file}, revision {revision}.")
    if revision != migrations.head_revision():
        click.echo("It is of an earlier version: run `flaskart init`.")
