"""`flaskart audit`: whether the audit log is as it was written."""

import re

import click

from flaskart.cli.progress import progress
from flaskart.cli.shop import as_json, open_shop, print_rows
from flaskart.kit.audit import verify as follow
from flaskart.kit.errors import OperatorError


class Hash(click.ParamType[str]):
    name = "hash"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not re.fullmatch(r"[0-9a-f]{64}", value):
            self.fail("a hash is 64 digits of 0-9 and a-f", param, ctx)
        return value


@click.group()
def audit() -> None:
    """Look after the log of what staff and keys have changed."""


@audit.command()
@click.option("--expect-head", type=Hash(), help="A head that was printed before; it must be in the log's past.")
@as_json
def verify(expect_head: str | None, is_json: bool) -> None:
    """Follow the chain of entries from the first to the last, and print how many there are and the hash of the last.

    Note that hash where nobody can change it who can change the database: a log that was made anew lacks it.
    """
    _, db = open_shop()
    with progress("Following the chain") as report, db.read() as session:
        verdict = follow(session, report, expected_head=expect_head)
    if verdict.broken:
        raise OperatorError(f"the audit log is broken: {verdict.broken.reason}")
    if is_json:
        print_rows([{"entries": verdict.entries, "head": verdict.head}], is_json=True)
    else:
        click.echo(f"{verdict.entries:,} entries, head {verdict.head}")
