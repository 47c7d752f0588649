"""`flaskart doctor | openapi | errors | routes`: what a shop and its API look like."""

import json
import re
import secrets
import sys
from collections.abc import Iterator
from dataclasses import asdict

import click
from pydantic import SecretStr

from flaskart.app import create_app
from flaskart.cli.shop import as_json, open_shop, print_rows
from flaskart.invariants import check_invariants
from flaskart.kit.errors import ShopError
from flaskart.settings import Settings
from flaskart.web.auth import access_of
from flaskart.web.openapi import ShopApp

ERRORS_HEAD = """\
# Errors

Written by `flaskart errors`; do not edit. An error's `type` is `urn:flaskart:problem:<code>`; its `detail`, repeated as
`msg`, is the message below or a more exact one. Refusals of HTTP itself have the status's name for a code, such as
404 `not_found` and 405 `method_not_allowed`; a failure of ours is 500 `internal_error`.

| Code | Status | Message |
|---|--:|---|"""


@click.command()
@as_json
def doctor(is_json: bool) -> None:
    """Check the shop's data; exit 1 and name what is wrong, if anything is."""
    _, db = open_shop()
    with db.read() as session:
        violations = check_invariants(session)
    if is_json:
        print_rows([asdict(violation) for violation in violations], is_json=True)
    else:
        for violation in violations:
            rows = ", ".join(map(str, violation.ids))
            click.echo(f"{violation.invariant}: not true that {violation.rule}: {violation.table} {rows}")
        if not violations:
            click.echo("All is well.")
    sys.exit(1 if violations else 0)


@click.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    click.echo(document_text())


@click.command()
def errors() -> None:
    """Print what each error code means, as Markdown."""
    click.echo(ERRORS_HEAD)
    for error in sorted(_coded(ShopError), key=lambda error: (error.status, error.code)):
        click.echo(f"| `{error.code}` | {error.status} | {error.message} |")


@click.command()
@as_json
def routes(is_json: bool) -> None:
    """List all routes and who may call them."""
    app = describing_app()
    rows: list[dict[str, object]] = [
        {"method": method, "path": path, "access": str(access_of(app.view_functions[rule.endpoint]))}
        for rule in app.url_map.iter_rules()
        for path in [re.sub(r"<(?:[^<:]+:)?([^>]+)>", r"{\1}", rule.rule)]
        for method in sorted(rule.methods or ())
        if method not in ("HEAD", "OPTIONS")
    ]
    print_rows(sorted(rows, key=lambda row: (str(row["path"]), str(row["method"]))), is_json=is_json)


def document_text() -> str:
    """Return the OpenAPI document as it is committed: indented and sorted, so that a change is a small diff."""
    return json.dumps(describing_app().document, indent=2, sort_keys=True)


def describing_app() -> ShopApp:
    """Build an app that is only described: it needs neither the shop's secret nor its database."""
    secret = SecretStr(secrets.token_urlsafe(48))
    # Neither the environment nor .env is read: they are the shop's, and the document is everybody's.
    return create_app(Settings.model_construct(secret_key=secret, database_url="sqlite:///never-opened.db"))


def _coded(family: type[ShopError]) -> Iterator[type[ShopError]]:
    """Yield the errors of a family that have a code of their own; the app's import has loaded every room's."""
    for error in family.__subclasses__():
        if "code" in vars(error) and error.__module__.startswith("flaskart."):
            yield error
        yield from _coded(error)
