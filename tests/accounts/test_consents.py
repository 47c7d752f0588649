"""What customers agree to: each time they say so is kept, and what they said last holds."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from flaskart.accounts import actions
from flaskart.accounts.models import ConsentPurpose
from flaskart.accounts.schemas import Consents
from flaskart.kit.actor import OF_EVERYONE, Actor
from flaskart.kit.db import Database
from tests.accounts.sign_ins import rows_of
from tests.callers import Caller, Make
from tests.races.crowd import at_once

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
NEVER_ASKED = {"granted": False, "source": None, "recorded_at": None}
PURPOSES = ["marketing_email", "marketing_sms", "analytics", "personalization"]
ALICE = {"username": "alice", "email": "alice@example.com", "password": "correct horse"}


def said(db: Database) -> list[tuple[object, ...]]:
    return [(row["customer_id"], row["purpose"], bool(row["granted"]), row["source"]) for row in rows_of(db, "consent")]


def test_who_was_never_asked_has_agreed_to_nothing(make: Make) -> None:
    answer = make.customer().get("/account/consents")

    assert (answer.status, answer.json) == (200, {"consents": [{"purpose": p} | NEVER_ASKED for p in PURPOSES]})


def test_what_was_said_last_holds_and_what_was_said_before_is_kept(make: Make, db: Database) -> None:
    alice = make.customer()
    actor = Actor(alice.customer_id, OF_EVERYONE, "a sign-in")
    for hours, granted in enumerate((True, False, True)):
        with time_machine.travel(NOON + timedelta(hours=hours), tick=False), db.write() as session:
            actions.set_consent(session, actor, ConsentPurpose.ANALYTICS, granted=granted)

    [shown] = [c for c in alice.get("/account/consents").json["consents"] if c["purpose"] == "analytics"]

    assert shown == {
        "purpose": "analytics",
        "granted": True,
        "source": "account",
        "recorded_at": "2026-03-01T14:00:00Z",
    }
    assert said(db) == [(1, "analytics", granted, "account") for granted in (True, False, True)]


def test_one_agrees_and_withdraws(make: Make, db: Database) -> None:
    alice = make.customer()

    agreed = alice.put("/account/consents/marketing_email", {"granted": True})
    withdrawn = alice.put("/account/consents/marketing_email", {"granted": False})

    assert (agreed.status, withdrawn.status) == (200, 200)
    assert agreed.json["msg"] == "Consent recorded"
    assert (agreed.json["consent"]["granted"], withdrawn.json["consent"]["granted"]) == (True, False)
    assert said(db) == [(1, "marketing_email", True, "account"), (1, "marketing_email", False, "account")]


def test_a_refusal_is_kept_too(make: Make, db: Database) -> None:
    make.customer().put("/account/consents/analytics", {"granted": False})

    assert said(db) == [(1, "analytics", False, "account")]


def test_saying_it_again_adds_nothing(make: Make, db: Database) -> None:
    alice = make.customer()

    first = alice.put("/account/consents/analytics", {"granted": True})
    second = alice.put("/account/consents/analytics", {"granted": True})

    assert (second.status, second.json) == (200, first.json)
    assert said(db) == [(1, "analytics", True, "account")]


def test_saying_it_sixteen_times_at_once_is_kept_once(make_over_http: Make, db: Database) -> None:
    alice = make_over_http.customer()

    answers = at_once([lambda: alice.put("/account/consents/analytics", {"granted": True})] * 16)

    assert {answer.status for answer in answers} == {200}
    assert said(db) == [(1, "analytics", True, "account")]


def test_consents_are_ones_own(make: Make) -> None:
    alice, bob = make.customer("alice"), make.customer("bob")

    alice.put("/account/consents/analytics", {"granted": True})

    assert not any(consent["granted"] for consent in bob.get("/account/consents").json["consents"])


def test_who_registers_may_say_what_they_agree_to(anyone: Caller, db: Database) -> None:
    answer = anyone.post("/auth/register", ALICE | {"consents": {"analytics": True, "marketing_sms": False}})

    assert answer.status == 201
    assert sorted(said(db)) == [(1, "analytics", True, "registration"), (1, "marketing_sms", False, "registration")]


def test_who_registers_may_be_asked_about_every_purpose() -> None:
    assert list(Consents.model_fields) == PURPOSES == list(ConsentPurpose)


def test_who_registers_without_a_word_agrees_to_nothing(anyone: Caller, db: Database) -> None:
    assert anyone.post("/auth/register", ALICE).status == 201

    assert said(db) == []


@pytest.mark.parametrize(
    ("consents", "pointer"),
    [
        ({"everything": True}, "/consents/everything"),
        ({"analytics": "yes"}, "/consents/analytics"),
        ({"analytics": None}, "/consents/analytics"),
        (["analytics"], "/consents"),
        ({"granted": True}, "/consents/granted"),
        (None, "/consents"),
    ],
)
def test_bad_consents_are_refused_and_nobody_is_registered(
    anyone: Caller, db: Database, consents: object, pointer: str
) -> None:
    answer = anyone.post("/auth/register", ALICE | {"consents": consents})

    assert (answer.status, [error["pointer"] for error in answer.json["errors"]]) == (422, [pointer])
    assert rows_of(db, "customer") == []


def test_a_bad_change_is_refused_by_name(make: Make, db: Database) -> None:
    alice = make.customer()
    source = {"granted": True, "source": "registration"}

    for path, body, pointer in (
        ("everything", {"granted": True}, "/purpose"),
        ("analytics", {}, "/granted"),
        ("analytics", {"granted": 1}, "/granted"),
        ("analytics", source, "/source"),
    ):
        answer = alice.put(f"/account/consents/{path}", body)
        assert (answer.status, [error["pointer"] for error in answer.json["errors"]]) == (422, [pointer])
    assert said(db) == []


def test_who_is_not_signed_in_has_no_consents(anyone: Caller) -> None:
    assert anyone.get("/account/consents").status == 401
    assert anyone.put("/account/consents/analytics", {"granted": True}).status == 401


def test_the_database_lets_nobody_rewrite_what_was_said(make: Make, db: Database) -> None:
    make.customer().put("/account/consents/analytics", {"granted": False})

    with pytest.raises(IntegrityError, match="consent is append-only"), db.write() as session:
        session.execute(text("UPDATE consent SET granted = true"))

    assert said(db) == [(1, "analytics", False, "account")]
