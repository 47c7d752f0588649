"""`flaskart user`: accounts made by hand."""

import json
from datetime import datetime

import pytest
from sqlalchemy import update

from flaskart.accounts.actions import log_in
from flaskart.accounts.errors import AccountDisabled, InvalidCredentials, SecondFactorRequired
from flaskart.accounts.models import Customer
from flaskart.accounts.queries import list_accounts
from flaskart.kit import clock
from flaskart.kit.db import Database
from tests.accounts.sign_ins import TERMS
from tests.cli.shells import Shell

PASSWORD = "correct horse"


def test_an_account_is_opened_with_the_password_of_standard_input(shop: Shell, db: Database) -> None:
    printed = shop.done("user", "create", "alice", "alice@example.com", "--password-stdin", stdin=f"{PASSWORD}\n")

    assert printed == "Created customer alice (id 1)\n"
    assert log_in(db, "alice", PASSWORD, terms=TERMS).customer_id == 1
    with pytest.raises(InvalidCredentials):
        log_in(db, "alice", f"{PASSWORD}\n", terms=TERMS)


def test_staff_are_made_at_the_command_line(shop: Shell, db: Database) -> None:
    printed = shop.done(
        "user", "create", "boss", "boss@example.com", "--staff", "--password-stdin", "--json", stdin=PASSWORD
    )

    [account] = json.loads(printed)
    assert datetime.fromisoformat(account.pop("created_at")).utcoffset() is not None
    assert account == {
        "id": 1,
        "username": "boss",
        "email": "boss@example.com",
        "pending_email": None,
        "role": "staff",
        "is_email_verified": True,
        "has_second_factor": False,
    }
    with db.read() as session:
        assert [account.role for account in list_accounts(session)] == ["staff"]


def test_a_taken_name_is_refused_and_nothing_changes(shop: Shell, db: Database) -> None:
    shop.done("user", "create", "alice", "alice@example.com", "--password-stdin", stdin=PASSWORD)

    refusal = shop.refused(
        "user", "create", "ALICE", "other@example.com", "--staff", "--password-stdin", stdin="another horse"
    )

    assert refusal == "flaskart: This username is taken"
    with db.read() as session:
        assert [(account.username, account.role) for account in list_accounts(session)] == [("alice", "customer")]
    assert log_in(db, "alice", PASSWORD, terms=TERMS).customer_id == 1


@pytest.mark.parametrize(
    ("name", "email", "password", "refusal"),
    [
        ("al ice", "alice@example.com", PASSWORD, "Error: username: A username has neither spaces nor an @"),
        ("alice", "alice", PASSWORD, "Error: email: An email address must have an @-sign."),
        ("alice", "alice@example.com", "1234567", "Error: password: String should have at least 8 characters"),
        ("alice", "alice@example.com", "", "Error: password: String should have at least 8 characters"),
    ],
)
def test_a_bad_field_is_refused_in_one_line_that_does_not_show_the_password(
    shop: Shell, db: Database, name: str, email: str, password: str, refusal: str
) -> None:
    assert shop.refused("user", "create", name, email, "--password-stdin", stdin=password) == refusal

    with db.read() as session:
        assert list_accounts(session) == []


def test_accounts_are_listed_as_a_table_or_as_json(shop: Shell) -> None:
    for name in ("alice", "bob"):
        shop.done("user", "create", name, f"{name}@example.com", "--password-stdin", stdin=PASSWORD)

    table, rows = shop.done("user", "list").splitlines(), json.loads(shop.done("user", "list", "--json"))

    assert [line.split()[:4] for line in table] == [
        ["id", "username", "email", "role"],
        ["1", "alice", "alice@example.com", "customer"],
        ["2", "bob", "bob@example.com", "customer"],
    ]
    assert [row["username"] for row in rows] == ["alice", "bob"]
    assert set(rows[0]) == {
        "id",
        "username",
        "email",
        "pending_email",
        "role",
        "is_email_verified",
        "has_second_factor",
        "created_at",
    }


def test_a_shop_without_accounts_lists_none(shop: Shell) -> None:
    assert shop.done("user", "list") == ""
    assert shop.done("user", "list", "--json") == "[]\n"


def test_an_account_is_disabled_and_enabled_by_any_of_its_names(shop: Shell, db: Database) -> None:
    shop.done("user", "create", "alice", "alice@example.com", "--password-stdin", stdin=PASSWORD)

    assert shop.done("user", "disable", "alice@example.com") == "Disabled alice@example.com\n"
    with pytest.raises(AccountDisabled):
        log_in(db, "alice", PASSWORD, terms=TERMS)

    assert shop.done("user", "enable", "ALICE") == "Enabled ALICE\n"
    assert log_in(db, "alice", PASSWORD, terms=TERMS).customer_id == 1


def test_a_lost_second_factor_is_taken_away(shop: Shell, db: Database) -> None:
    shop.done("user", "create", "alice", "alice@example.com", "--password-stdin", stdin=PASSWORD)
    with db.write() as session:
        session.execute(update(Customer).values(second_factor_at=clock.now(), totp_secret="sealed"))
    with pytest.raises(SecondFactorRequired):
        log_in(db, "alice", PASSWORD, terms=TERMS)

    assert shop.done("user", "unlock", "alice") == "alice signs in with the password alone\n"

    assert log_in(db, "alice", PASSWORD, terms=TERMS).customer_id == 1


@pytest.mark.parametrize("command", ["disable", "enable", "unlock"])
def test_an_unknown_account_is_refused_in_one_line(shop: Shell, command: str) -> None:
    assert shop.refused("user", command, "nobody") == "flaskart: Account not found"


def test_an_account_is_opened_with_roles(shop: Shell) -> None:
    shop.done(
        *("user", "create", "alice", "alice@example.com", "--role", "manager", "--role", "support"),
        "--password-stdin",
        stdin=PASSWORD,
    )

    assert shop.done("user", "revoke", "alice", "support") == "alice is manager\n"


def test_roles_are_granted_and_taken_back(shop: Shell, db: Database) -> None:
    shop.done("user", "create", "boss", "boss@example.com", "--staff", "--password-stdin", stdin=PASSWORD)
    shop.done("user", "create", "alice", "alice@example.com", "--password-stdin", stdin=PASSWORD)

    granted = shop.done("user", "grant", "alice@example.com", "support", "owner")
    again = shop.done("user", "grant", "ALICE", "owner")
    taken = shop.done("user", "revoke", "alice", "support", "owner")

    assert (granted, again, taken) == (
        "alice is owner, support\n",
        "alice is owner, support\n",
        "alice is a customer\n",
    )
    with db.read() as session:
        assert [account.role for account in list_accounts(session)] == ["staff", "customer"]


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (("grant", "alice", "support"), "flaskart: Account not found"),
        (("grant", "boss", "cook"), "flaskart: There is no role cook"),
        (("revoke", "boss", "owner"), "flaskart: A shop keeps at least one owner"),
    ],
)
def test_a_role_that_cannot_be_granted_or_taken_changes_nothing(
    shop: Shell, db: Database, command: tuple[str, ...], refusal: str
) -> None:
    shop.done("user", "create", "boss", "boss@example.com", "--staff", "--password-stdin", stdin=PASSWORD)

    assert shop.refused("user", *command) == refusal

    assert shop.done("user", "grant", "boss", "owner") == "boss is owner\n"
