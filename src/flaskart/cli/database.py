"""`flaskart db`: the schema, and the database it is in."""

import click

from flaskart import migrations, transfer
from flaskart.cli.progress import progress
from flaskart.cli.shop import as_json, print_rows
from flaskart.kit.db import Database
from flaskart.migrations import runner
from flaskart.settings import Settings, known_database


class DatabaseUrl(click.ParamType[str]):
    name = "url"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return known_database(value)
        except ValueError as wrong:
            self.fail(str(wrong), param, ctx)


@click.group()
def db() -> None:
    """Look after the database and its schema."""


@db.command()
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Bring the schema up to REVISION (the newest by default). May be repeated."""
    runner.upgrade(_database(), revision)


@db.command()
@click.argument("revision")
@click.confirmation_option(prompt="What later revisions added will be lost. Go on?")
def downgrade(revision: str) -> None:
    """Take the schema back to REVISION; `base` is the empty database."""
    runner.downgrade(_database(), revision)


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
    runner.check(_database())


@db.command()
@click.argument("source_url", type=DatabaseUrl())
@click.argument("target_url", type=DatabaseUrl())
def copy(source_url: str, target_url: str) -> None:
    """Copy the shop at SOURCE_URL, as it is at one moment, into the empty database at TARGET_URL.

    A password that is not to be seen in the list of processes comes from PGPASSWORD or PGPASSFILE. What is ordered at
    the source afterwards is not at the target: stop the shop before you move it.
    """
    with progress("Copying") as report:
        copied = transfer.copy_shop(Database(source_url), Database(target_url), report)
    print_rows([{"table": done.table, "rows": done.rows, "sha256": done.checksum} for done in copied], is_json=False)
    click.echo(f"Copied {sum(done.rows for done in copied):,} rows; both databases hold the same.")


def _database() -> Database:
    return Database(Settings.load().database)
