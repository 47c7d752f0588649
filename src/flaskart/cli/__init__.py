"""The command line, `flaskart`: its commands, and how they end."""

import sys
from typing import NoReturn

import click
from alembic.util import CommandError
from sqlalchemy.exc import DatabaseError

from flaskart import __version__
from flaskart.backups import BackupError
from flaskart.cli.backup import backup, restore
from flaskart.cli.catalogue import demo
from flaskart.cli.database import db
from flaskart.cli.reports import doctor, errors, openapi, routes
from flaskart.cli.server import init, serve
from flaskart.cli.users import user
from flaskart.kit.errors import ShopError
from flaskart.settings import SettingsError
from flaskart.transfer import TransferError


@click.group()
@click.version_option(__version__, prog_name="flaskart")
def cli() -> None:
    """Run and look after a Flaskart shop.

    Settings come from FLASKART_* variables and from .env in the current folder.
    """


for command in (init, serve, db, backup, restore, user, demo, doctor, openapi, errors, routes):
    cli.add_command(command)


def main() -> None:
    """Run the command line: exit 0 when done, 1 with one line when refused, 2 when called wrongly."""
    try:
        cli()
    except (SettingsError, ShopError, CommandError, BackupError, TransferError) as refused:
        _give_up(str(refused))
    except OSError as failure:
        _give_up(f"{failure.filename}: {failure.strerror}" if failure.filename else str(failure.strerror))
    except DatabaseError as outage:
        _give_up(f"the database says: {outage.orig}")
    except ModuleNotFoundError as missing:
        if missing.name != "psycopg":
            raise
        _give_up("PostgreSQL needs its driver: pip install 'flaskart[postgres]'")


def _give_up(reason: str) -> NoReturn:
    first_line, *_ = reason.splitlines()
    click.echo(f"flaskart: {first_line}", err=True)
    sys.exit(1)
