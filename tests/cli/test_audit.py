"""`flaskart audit verify`, and the log through backup, restore and a move."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from flaskart.backups import back_up, restore
from flaskart.kit.audit import START
from flaskart.kit.db import Database
from flaskart.transfer import copy_shop
from tests.audit.logs import entries_of, tamper, write_three
from tests.cli.shells import Shell
from tests.conftest import ENGINES
from tests.databases import empty_database


@pytest.fixture
def log(database_url: str) -> Iterator[Database]:
    """A shop with three entries in its log, which the test is free to break."""
    database = Database(database_url)
    with database.write() as session:
        write_three(session)
    yield database
    database.close()


@pytest.fixture(params=ENGINES)
def target_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, on each engine whatever the shop's."""
    with empty_database(request.param, tmp_path) as url:
        yield url


def nothing(_done: int, _total: int) -> None: ...


def test_verify_prints_how_many_entries_there_are_and_their_head(shop: Shell, log: Database) -> None:
    head = entries_of(log)[-1].hash

    assert shop.done("audit", "verify") == f"3 entries, head {head}\n"
    assert json.loads(shop.done("audit", "verify", "--json")) == [{"entries": 3, "head": head}]
    assert shop.done("audit", "verify", "--expect-head", head) == f"3 entries, head {head}\n"


def test_a_shop_where_nobody_did_anything_has_a_sound_log(shop: Shell) -> None:
    assert shop.done("audit", "verify") == f"0 entries, head {START}\n"


def test_a_broken_log_is_refused_with_its_first_flaw(shop: Shell, log: Database) -> None:
    tamper(log, "UPDATE audit_entry SET after = '{}' WHERE id = 2")

    assert shop.refused("audit", "verify") == "flaskart: the audit log is broken: entry 2 is not as it was written"


def test_a_head_that_never_was_is_refused(shop: Shell, log: Database) -> None:
    refusal = shop.refused("audit", "verify", "--expect-head", "a" * 64)

    assert refusal == "flaskart: the audit log is broken: the expected head was never the head of this log"


@pytest.mark.parametrize("head", ["", "a", "A" * 64, "g" * 64])
def test_what_is_no_hash_is_a_wrong_call(shop: Shell, head: str) -> None:
    assert shop.run("audit", "verify", "--expect-head", head).returncode == 2


def test_doctor_looks_at_the_log_too(shop: Shell, log: Database) -> None:
    tamper(log, "DELETE FROM audit_entry WHERE id = 2")

    result = shop.run("doctor")

    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout == (
        "I13: not true that each entry is as it was written and follows from the one before it: audit_entry 2\n"
    )


def test_an_account_that_is_opened_at_the_command_line_is_recorded_without_what_is_personal(
    shop: Shell, db: Database
) -> None:
    shop.done("user", "create", "boss", "boss@example.com", "--staff", "--password-stdin", stdin="canary horse")

    entry, granted = entries_of(db)
    assert (entry.actor_kind, entry.actor_id, entry.action) == ("system", None, "customer.created")
    assert (entry.subject_kind, entry.subject_id, entry.after) == ("customer", 1, '{"id":1,"role":"customer"}')
    assert (granted.action, granted.after) == ("staff.roles_changed", '{"roles":["owner"]}')
    assert json.loads(entry.withheld) == [
        "created_at",
        "email",
        "email_folded",
        "email_verified_at",
        "password_hash",
        "username",
        "username_folded",
    ]


def test_an_account_that_is_refused_is_not_recorded(shop: Shell, db: Database) -> None:
    shop.done("user", "create", "boss", "boss@example.com", "--password-stdin", stdin="correct horse")

    shop.refused("user", "create", "boss", "other@example.com", "--password-stdin", stdin="correct horse")

    assert len(entries_of(db)) == 1


def test_a_moved_log_is_the_same_chain_and_is_guarded_as_before(log: Database, target_url: str) -> None:
    before = entries_of(log)
    target = Database(target_url)

    copy_shop(log, target, nothing)

    assert entries_of(target) == before
    is_guarded_and_goes_on(target)
    target.close()


def test_a_restored_log_is_the_same_chain_and_is_guarded_as_before(
    log: Database, empty_url: str, tmp_path: Path
) -> None:
    before = entries_of(log)
    target = Database(empty_url)

    back_up(log, tmp_path / "shop.bak", nothing)
    restore(target, tmp_path / "shop.bak", nothing)

    assert entries_of(target) == before
    is_guarded_and_goes_on(target)
    target.close()


def is_guarded_and_goes_on(db: Database) -> None:
    with pytest.raises(IntegrityError, match="audit_entry is append-only"), db.write() as session:
        session.execute(text("DELETE FROM audit_entry"))
    with db.write() as session:
        write_three(session)
    assert [entry.id for entry in entries_of(db)] == [1, 2, 3, 4, 5, 6]
