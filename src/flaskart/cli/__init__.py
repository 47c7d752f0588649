"""The command line, `flaskart`: its commands, and how they end."""

import sys
from importlib import import_module
from typing import NoReturn

import click
from sqlalchemy.exc import DatabaseError

from flaskart import __version__
from flaskart.kit.errors import OperatorError, ShopError

# Where each command is. It is imported when it is called, so that none waits for what another one needs.
COMMANDS = {
    "audit": "flaskart.cli.audit",
    "backup": "flaskart.cli.backup",
    "db": "flaskart.cli.database",
    "demo": "flaskart.cli.catalogue",
    "doctor": "flaskart.cli.reports",
    "errors": "flaskart.cli.reports",
    "init": "flaskart.cli.setup",
    "jobs": "flaskart.cli.jobs",
    "keys": "flaskart.cli.keys",
    "mail": "flaskart.cli.mail",
    "openapi": "flaskart.cli.reports",
    "restore": "flaskart.cli.backup",
    "routes": "flaskart.cli.reports",
    "serve": "flaskart.cli.server",
    "user": "flaskart.cli.users",
    "worker": "flaskart.cli.worker",
}


class Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(COMMANDS[cmd_name]), cmd_name)
        return command


@click.group(cls=Commands)
@click.version_option(__version__, prog_name="flaskart")
def cli() -> None:
    """Run and look after a Flaskart shop.

    Settings come from FLASKART_* variables and from .env in the current folder.
    """


def main() -> None:
    """Run the command line: exit 0 when done, 1 with one line when refused, 2 when called wrongly."""
    try:
        cli()
    except (OperatorError, ShopError) as refused:
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
