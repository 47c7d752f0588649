"""What commands share: the shop they work on, and how they print data."""

from collections.abc import Sequence

import click

from flaskart.kit.db import Database
from flaskart.migrations import current_revision, head_revision
from flaskart.settings import Settings
from flaskart.web.json import encode

as_json = click.option("--json", "is_json", is_flag=True, help="Print JSON instead of a table.")


def open_shop() -> tuple[Settings, Database]:
    """Return the settings and the migrated database of the shop.

    Raises:
        SettingsError: a setting is wrong.
        ClickException: the database is missing or not at this version's schema.
    """
    settings = Settings.load()
    db = Database(settings.database)
    has_no_folder = settings.database_url is None and not settings.instance.is_dir()
    if has_no_folder or current_revision(db) != head_revision():
        raise click.ClickException("the database is not at this version's schema: run `flaskart init`")
    return settings, db


def print_rows(rows: Sequence[dict[str, object]], *, is_json: bool) -> None:
    """Print rows as a JSON array or as aligned columns."""
    if is_json:
        click.echo(encode(rows))
        return
    if not rows:
        return
    table = [list(rows[0]), *([str(value) for value in row.values()] for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    for row in table:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
