"""`flaskart user`: accounts, staff among them."""

import sys

import click
from pydantic import ValidationError

from flaskart.accounts import actions, queries
from flaskart.accounts.errors import AccountNotFound
from flaskart.accounts.models import CUSTOMER, Customer
from flaskart.accounts.passwords import hash_password
from flaskart.accounts.schemas import AccountOut, Registration
from flaskart.cli.shop import as_json, open_shop, print_rows
from flaskart.kit import audit
from flaskart.kit.db import Session


@click.group()
def user() -> None:
    """Create, list and disable accounts, and say who runs the shop."""


@user.command()
@click.argument("name")
@click.argument("email")
@click.option("--staff", is_flag=True, help="Make the account an owner, who may do everything.")
@click.option("--role", "roles", multiple=True, help="Grant a role; may be given several times.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
@as_json
def create(name: str, email: str, staff: bool, roles: tuple[str, ...], password_stdin: bool, is_json: bool) -> None:
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
    with db.write() as session:
        customer = actions.register(
            session,
            username=wanted.username,
            email=wanted.email,
            password_hash=password_hash,
            is_email_verified=True,  # whoever has the machine vouches for it
        )
        subject = audit.Subject(CUSTOMER, customer.id)
        audit.record(session, audit.SYSTEM, "customer.created", subject, after=audit.fields_of(customer))
        if staff or roles:
            actions.grant_roles(session, customer, [*roles, *(["owner"] if staff else [])])
        account = AccountOut.of(customer)
    if is_json:
        print_rows([account.model_dump()], is_json=True)
    else:
        click.echo(f"Created {account.role} {account.username} (id {account.id})")


@user.command()
@click.argument("name")
@click.option("--reason", default="disabled on the command line", show_default=True, help="Shown to staff.")
def disable(name: str, reason: str) -> None:
    """End the sign-ins of the account NAME (username or e-mail address) and let it sign in no more."""
    _, db = open_shop()
    with db.write() as session:
        actions.disable_customer(session, audit.SYSTEM, queries.get_by_login(session, name).id, reason=reason)
    click.echo(f"Disabled {name}")


@user.command()
@click.argument("name")
def enable(name: str) -> None:
    """Let the account NAME (username or e-mail address) sign in again."""
    _, db = open_shop()
    with db.write() as session:
        actions.enable_customer(session, audit.SYSTEM, queries.get_by_login(session, name).id)
    click.echo(f"Enabled {name}")


@user.command()
@click.argument("name")
def unlock(name: str) -> None:
    """Take the second factor from the account NAME (username or e-mail address), whose owner lost it."""
    _, db = open_shop()
    with db.write() as session:
        actions.reset_second_factor(session, audit.SYSTEM, queries.get_by_login(session, name).id)
    click.echo(f"{name} signs in with the password alone")


@user.command()
@click.argument("name")
@click.argument("roles", metavar="ROLE...", nargs=-1, required=True)
def grant(name: str, roles: tuple[str, ...]) -> None:
    """Grant roles to the account NAME."""
    _, db = open_shop()
    with db.write() as session:
        account = _get_account(session, name)
        actions.grant_roles(session, account, roles)
        click.echo(_roles_of(session, account))


@user.command()
@click.argument("name")
@click.argument("roles", metavar="ROLE...", nargs=-1, required=True)
def revoke(name: str, roles: tuple[str, ...]) -> None:
    """Take roles from the account NAME."""
    _, db = open_shop()
    with db.write() as session:
        account = _get_account(session, name)
        actions.revoke_roles(session, account, roles)
        click.echo(_roles_of(session, account))


@user.command("list")
@as_json
def list_users(is_json: bool) -> None:
    """List accounts."""
    _, db = open_shop()
    with db.read() as session:
        accounts = [AccountOut.of(account).model_dump() for account in queries.list_accounts(session)]
    print_rows(accounts, is_json=is_json)


def _get_account(session: Session, name: str) -> Customer:
    account = queries.find_by_login(session, name)
    if account is None:
        raise AccountNotFound
    return account


def _roles_of(session: Session, account: Customer) -> str:
    names = [role.name for role in queries.roles_of(session, [account]).get(account.id, ())]
    return f"{account.username} is {', '.join(names) or 'a customer'}"
