"""`flaskart db`: the schema."""

import click

from flaskart import migrations
from flaskart.cli.shop import as_json, print_rows
from flaskart.kit.db import Database
from flaskart.settings import Settings


@click.group()
def db() -> None:
    """Look after the database's schema."""


@db.command()
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Bring the schema up to REVISION (the newest by default). May be repeated."""
    migrations.upgrade(_database(), revision)


@db.command()
@click.argument("revision")
@click.confirmation_option(prompt="What later revisions added will be lost. Go on?")
def downgrade(revision: str) -> None:
    """Take the schema back to REVISION; `base` is the empty database."""
    migrations.downgrade(_database(), revision)


@db.command()
@as_json
def current(is_json: bool) -> None:
    """Print the database's revision and whether it is the newest."""
    revision, newest = migrations.current_revision(_database()), migrations.head_revision()
    if is_json:
        print_rows([{"revision": revision, "newest": newest}], is_json=True)
    else:
        click.echo(f"{revision or 'not migrated'}{'' if revision == newest else f' (the newest is {newest})'}")


@db.command()
def check() -> None:
    """Compare the schema with the models; exit 1 when they differ."""
    migrations.check(_database())


def _database() -> Database:
    return Database(Settings.load().database)
