"""The audit log: what an entry keeps, what the database refuses, and that nothing is altered unnoticed."""

from collections.abc import Iterator

import pytest
from sqlalchemy import insert, text, update
from sqlalchemy.exc import IntegrityError

from flaskart.accounts.actions import register
from flaskart.accounts.models import CUSTOMER
from flaskart.kit import audit
from flaskart.kit.actor import OF_STAFF, Actor, Role
from flaskart.kit.audit import BATCH, START, SYSTEM, AuditEntry, AuditHead, Subject, Verdict, verify
from flaskart.kit.db import Database
from tests.audit.logs import MUG, entries_of, tamper, write_three

BOSS = Actor(3, OF_STAFF, "a sign-in")
ROBOT = Actor(3, OF_STAFF, "", key_id=5)
COLUMNS = tuple(AuditEntry.__table__.columns.keys())


@pytest.fixture
def log(database_url: str) -> Iterator[Database]:
    """A shop with three entries in its log, which the test is free to break."""
    database = Database(database_url)
    with database.write() as session:
        write_three(session)
    yield database
    database.close()


def verdict_on(db: Database, expected_head: str | None = None) -> Verdict:
    with db.read() as session:
        return verify(session, expected_head=expected_head)


def reason(verdict: Verdict) -> str | None:
    return verdict.broken.reason if verdict.broken else None


@pytest.mark.parametrize(
    ("actor", "kind", "actor_id"), [(BOSS, "customer", 3), (ROBOT, "key", 5), (SYSTEM, "system", None)]
)
def test_an_entry_names_its_actor_by_id_and_its_subject(
    db: Database, actor: Actor | audit.System, kind: str, actor_id: int | None
) -> None:
    with db.write() as session:
        audit.record(session, actor, "product.updated", MUG, before={"name": "Mug"}, after={"name": "Cup"})

    [entry] = entries_of(db)
    assert (entry.actor_kind, entry.actor_id, entry.action) == (kind, actor_id, "product.updated")
    assert (entry.subject_kind, entry.subject_id) == ("product", 7)


def test_of_an_edit_only_what_changed_is_kept(db: Database) -> None:
    before = {"name": "Mug", "price_minor": 100}

    with db.write() as session:
        audit.record(session, BOSS, "product.updated", MUG, before=before, after=before | {"price_minor": 90})

    [entry] = entries_of(db)
    assert (entry.before, entry.after, entry.withheld) == ('{"price_minor":100}', '{"price_minor":90}', None)


def test_an_edit_that_changes_nothing_is_no_entry(db: Database) -> None:
    with db.write() as session:
        audit.record(session, BOSS, "product.updated", MUG, before={"name": "Mug"}, after={"name": "Mug"})

    assert entries_of(db) == []


def test_of_secrets_and_personal_fields_no_more_is_kept_than_that_they_changed(db: Database) -> None:
    canary = "canary@example.com"
    with db.write() as session:
        alice = register(session, username="canary", email=canary, password_hash="canary hash")
        before = audit.fields_of(alice)
        alice.password_hash, alice.role = "another canary", Role.STAFF
        audit.record(
            session, BOSS, "customer.edited", Subject(CUSTOMER, 1), before=before, after=audit.fields_of(alice)
        )
        audit.record(session, BOSS, "customer.erased", Subject(CUSTOMER, 1), before=audit.fields_of(alice))
        alice.role = Role.CUSTOMER

    edited, erased = entries_of(db)
    assert (edited.before, edited.after) == ('{"role":"customer"}', '{"role":"staff"}')
    assert edited.withheld == '["password_hash"]'
    assert (erased.before, erased.after) == ('{"id":1,"role":"staff"}', None)
    assert "canary" not in repr([edited, erased])


def test_an_entry_is_undone_with_its_change(db: Database) -> None:
    def fail_afterwards() -> None:
        with db.write() as session:
            write_three(session)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_afterwards()

    assert entries_of(db) == []
    assert verdict_on(db) == Verdict(0, START)


def test_each_entry_follows_from_the_one_before_it(db: Database) -> None:
    with db.write() as session:
        write_three(session)
    with db.write() as session:
        write_three(session)

    entries = entries_of(db)
    assert [entry.id for entry in entries] == [1, 2, 3, 4, 5, 6]
    assert [entry.previous_hash for entry in entries] == [START, *(entry.hash for entry in entries[:-1])]
    assert verdict_on(db) == Verdict(6, entries[-1].hash)


def test_a_log_longer_than_a_batch_is_followed_to_its_end(db: Database) -> None:
    with db.write() as session:
        for number in range(BATCH + 1):
            audit.record(session, BOSS, "product.added", MUG, after={"name": f"Mug {number}"})
    told = []

    with db.read() as session:
        verdict = verify(session, lambda done, total: told.append((done, total)))

    assert (verdict.entries, verdict.broken) == (BATCH + 1, None)
    assert told == [(BATCH, BATCH + 1), (BATCH + 1, BATCH + 1)]


def test_what_is_written_while_the_log_is_followed_does_not_disturb(db: Database) -> None:
    def write_once(done: int, _total: int) -> None:
        if done == 3:
            with db.write() as session:
                write_three(session)

    with db.write() as session:
        write_three(session)
    with db.read() as session:
        verdict = verify(session, write_once)

    assert (verdict.entries, verdict.broken) == (6, None)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET action = 'x' WHERE id = 2",
        "UPDATE audit_entry SET id = 9 WHERE id = 3",
        "DELETE FROM audit_entry WHERE id = 3",
        "DELETE FROM audit_entry",
        {
            "sqlite": "INSERT OR REPLACE INTO audit_entry SELECT * FROM audit_entry WHERE id = 2",
            "postgresql": "TRUNCATE audit_entry",
        },
    ],
)
def test_the_database_lets_nobody_change_or_remove_an_entry(log: Database, statement: str | dict[str, str]) -> None:
    wanted = statement if isinstance(statement, str) else statement[log.engine.dialect.name]
    before = entries_of(log)

    with pytest.raises(IntegrityError, match="audit_entry is append-only"), log.write() as session:
        session.execute(text(wanted))

    assert entries_of(log) == before


def altered(value: object) -> Iterator[object]:
    """Yield values that differ from one by as little as can be: in one character, or in one bit of a number."""
    if value is None:
        yield 0
    elif isinstance(value, int):
        yield from (value ^ 8, value ^ 2**40)
    else:
        text_of = str(value)
        yield from ("", None)
        for place, character in enumerate(text_of):
            yield text_of[:place] + chr(ord(character) ^ 1) + text_of[place + 1 :]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_one_altered_byte_is_found_in_any_column(log: Database, number: int) -> None:
    tamper(log)
    entry = entries_of(log)[number - 1]
    unnoticed = []

    with log.write() as session:
        for column in COLUMNS:
            old = getattr(entry, column)
            for new in altered(old):
                now = new if column == "id" else number
                session.execute(update(AuditEntry).where(AuditEntry.id == number).values({column: new}))
                if verify(session).broken is None:
                    unnoticed.append((column, new))
                session.execute(update(AuditEntry).where(AuditEntry.id == now).values({column: old}))
        assert verify(session).broken is None
    assert unnoticed == []


def put_in(log: Database, **changed: object) -> None:
    """Put the last entry into the log once more, changed."""
    entry = entries_of(log)[-1]._asdict() | changed
    with log.write() as session:
        session.execute(insert(AuditEntry), [entry | {"hash": audit.hash_of(entry)}])


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE audit_entry SET action = 'product.added' WHERE id = 2", "entry 2 is not as it was written"),
        ("DELETE FROM audit_entry WHERE id = 1", "entry 1 is missing"),
        ("DELETE FROM audit_entry WHERE id = 2", "entry 2 is missing"),
        ("DELETE FROM audit_entry WHERE id = 3", "entry 3 is missing, and all after it"),
        ("DELETE FROM audit_entry", "entry 1 is missing, and all after it"),
        ("UPDATE audit_head SET entries = 2", "entry 3 came in past the head"),
        ("UPDATE audit_head SET entries = 4", "entry 4 is missing, and all after it"),
        ("UPDATE audit_head SET hash = 'x'", "entry 3 is not the one that the head names"),
        ("DELETE FROM audit_head", "the head is gone"),
    ],
)
def test_what_is_altered_taken_out_or_put_in_is_found(log: Database, statement: str, found: str) -> None:
    tamper(log, statement)

    assert reason(verdict_on(log)) == found


@pytest.mark.parametrize(
    ("number", "found"),
    [
        (4, "entry 4 does not follow from the one before it"),
        (0, "entry 1 has a number before it that no entry can have"),
        (-(2**63), "entry 1 has a number before it that no entry can have"),
        (2**63 - 1, "entry 4 is missing"),
    ],
)
def test_an_entry_put_in_is_found(log: Database, number: int, found: str) -> None:
    put_in(log, id=number)

    assert reason(verdict_on(log)) == found


def test_an_entry_that_follows_and_came_in_past_the_head_is_found(log: Database) -> None:
    put_in(log, id=4, previous_hash=entries_of(log)[-1].hash)

    assert reason(verdict_on(log)) == "entry 4 came in past the head"


def test_a_tail_taken_off_together_with_its_head_is_found_by_a_head_noted_before(log: Database) -> None:
    _, second, third = entries_of(log)
    tamper(log, "DELETE FROM audit_entry WHERE id = 3")
    with log.write() as session:
        session.execute(update(AuditHead).values(entries=2, hash=second.hash))

    assert verdict_on(log).broken is None
    assert reason(verdict_on(log, third.hash)) == "the expected head was never the head of this log"


def test_a_log_made_anew_is_found_by_a_head_noted_before(log: Database) -> None:
    noted = entries_of(log)[-1].hash
    tamper(log, "DELETE FROM audit_entry")
    with log.write() as session:
        session.execute(update(AuditHead).values(entries=0, hash=START))
        write_three(session)

    assert verdict_on(log).broken is None
    assert reason(verdict_on(log, noted)) == "the expected head was never the head of this log"


def test_a_head_noted_before_stays_in_the_past_of_a_sound_log(log: Database) -> None:
    noted = [START, *(entry.hash for entry in entries_of(log))]
    with log.write() as session:
        write_three(session)

    assert [verdict_on(log, head).broken for head in noted] == [None] * 4
