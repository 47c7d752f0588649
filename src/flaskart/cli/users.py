"""`flaskart user`: accounts, staff among them."""

import sys

import click
from pydantic import ValidationError

from flaskart.accounts import actions, queries
from flaskart.accounts.passwords import hash_password
from flaskart.accounts.schemas import AccountOut, Registration
from flaskart.cli.shop import as_json, open_shop, print_rows
from flaskart.kit.actor import Role


@click.group()
def user() -> None:
    """Create and list accounts."""


@user.command()
@click.argument("name")
@click.argument("email")
@click.option("--staff", is_flag=True, help="Let the account run the catalogue.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
@as_json
def create(name: str, email: str, staff: bool, password_stdin: bool, is_json: bool) -> None:
    """Open an account NAME with the address EMAIL."""
    _, db = open_shop()
    password = (
        sys.stdin.readline().rstrip("\r\n")
        if password_stdin
        else click.prompt("Password", hide_input=True, confirmation_prompt=True)
    )
    try:
        wanted = Registration(username=name, email=email, password=password)
    except ValidationError as invalid:
        wrong = invalid.errors(include_input=False)[0]
        raise click.ClickException(f"{wrong['loc'][0]}: {wrong['msg']}") from None
    password_hash = hash_password(wanted.password)
    role = Role.STAFF if staff else Role.CUSTOMER
    with db.write() as session:
        account = AccountOut.of(
            actions.register(
                session, username=wanted.username, email=wanted.email, password_hash=password_hash, role=role
            )
        )
    if is_json:
        print_rows([account.model_dump()], is_json=True)
    else:
        click.echo(f"Created {account.role} {account.username} (id {account.id})")


@user.command("list")
@as_json
def list_users(is_json: bool) -> None:
    """List accounts."""
    _, db = open_shop()
    with db.read() as session:
        accounts = [AccountOut.of(account).model_dump() for account in queries.list_accounts(session)]
    print_rows(accounts, is_json=is_json)
