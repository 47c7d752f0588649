"""What somebody proves by the mail they read: that an address is theirs, and that an account is."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import update

from flaskart.accounts.actions import disable_customer, forget_expired_mailed_tokens, issue_token
from flaskart.accounts.errors import AccountNotFound
from flaskart.accounts.models import Customer, TokenPurpose
from flaskart.kit.audit import SYSTEM
from flaskart.kit.db import Database
from flaskart.web.openapi import ShopApp
from tests.accounts.sign_ins import (
    EMAIL_TAKEN,
    INVALID_CREDENTIALS,
    forget_jobs,
    is_alive,
    jobs_of,
    problem,
    register_and_sign_in,
    rows_of,
    sign_in,
)
from tests.callers import PASSWORD, Answer, Caller, Make, MakeWith
from tests.test_statement_counts import counted

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
INVALID = problem(
    422, "Unprocessable Entity", "invalid_mailed_token", "This token is not valid, has expired or was used", "/token"
)
NEW = "another horse"
VALID = {
    TokenPurpose.VERIFY_EMAIL: timedelta(days=3),
    TokenPurpose.RESET_PASSWORD: timedelta(hours=1),
    TokenPurpose.CHANGE_EMAIL: timedelta(days=1),
}
each_purpose = pytest.mark.parametrize("purpose", TokenPurpose)
Mail = Callable[..., str]


@pytest.fixture
def mail(db: Database) -> Mail:
    """Issues a token as the mail job does, and returns it as the mail's reader sees it."""

    def issue(customer_id: int, purpose: TokenPurpose) -> str:
        with db.write() as session:
            return issue_token(session, customer_id, purpose)

    return issue


def redeem(caller: Caller, purpose: TokenPurpose, token: str) -> Answer:
    if purpose is TokenPurpose.VERIFY_EMAIL:
        return caller.post("/auth/verify-email", {"token": token})
    if purpose is TokenPurpose.CHANGE_EMAIL:
        return caller.post("/auth/email/confirm", {"token": token})
    return caller.post("/auth/password/reset", {"token": token, "new_password": NEW})


def alice_with_pending_address(make: Make) -> Caller:
    alice = make.customer("alice")
    assert alice.patch("/account", {"email": "ada@example.com"}).status == 200
    return alice


@each_purpose
def test_a_token_works_once(make: Make, anyone: Caller, mail: Mail, purpose: TokenPurpose) -> None:
    alice = alice_with_pending_address(make)
    token = mail(alice.customer_id, purpose)

    first, second = redeem(anyone, purpose, token), redeem(anyone, purpose, token)

    assert first.status == 200
    assert (second.status, second.json) == (422, INVALID)


@each_purpose
def test_a_token_works_until_the_moment_it_expires(
    make: Make, anyone: Caller, mail: Mail, purpose: TokenPurpose
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        alice = alice_with_pending_address(make)
        bob = make.customer("bob")
        bob.patch("/account", {"email": "new-bob@example.com"})
        in_time, too_late = mail(alice.customer_id, purpose), mail(bob.customer_id, purpose)
        clock.move_to(NOON + VALID[purpose] - MOMENT)
        assert redeem(anyone, purpose, in_time).status == 200
        clock.move_to(NOON + VALID[purpose])

        answer = redeem(anyone, purpose, too_late)

    assert (answer.status, answer.json) == (422, INVALID)


@each_purpose
def test_a_newer_token_makes_the_unused_one_worthless(
    make: Make, anyone: Caller, mail: Mail, purpose: TokenPurpose
) -> None:
    alice = alice_with_pending_address(make)
    first, second = mail(alice.customer_id, purpose), mail(alice.customer_id, purpose)

    assert redeem(anyone, purpose, first).json == INVALID
    assert redeem(anyone, purpose, second).status == 200


@each_purpose
def test_a_token_is_for_one_purpose(
    make: Make, anyone: Caller, mail: Mail, db: Database, purpose: TokenPurpose
) -> None:
    alice = alice_with_pending_address(make)
    token = mail(alice.customer_id, purpose)
    before = rows_of(db, "customer")

    answers = [redeem(anyone, other, token) for other in TokenPurpose if other is not purpose]

    assert [answer.json for answer in answers] == [INVALID, INVALID]
    assert rows_of(db, "customer") == before
    assert redeem(anyone, purpose, token).status == 200


@each_purpose
def test_only_the_hash_of_a_token_is_stored(make: Make, mail: Mail, db: Database, purpose: TokenPurpose) -> None:
    alice = make.customer("alice")

    token = mail(alice.customer_id, purpose)

    [row] = rows_of(db, "account_token")
    assert row["token_hash"] == hashlib.sha256(token.encode()).hexdigest()
    assert token not in str(make.everything())
    assert len(token) == 43  # 256 random bits in base64url


@each_purpose
@pytest.mark.parametrize("token", ["unknown", "nul\0", "✓" * 512])
def test_an_unknown_token_changes_nothing(
    make: Make, anyone: Caller, mail: Mail, purpose: TokenPurpose, token: str
) -> None:
    mail(make.customer("alice").customer_id, purpose)
    before = make.everything()

    answer = redeem(anyone, purpose, token)

    assert (answer.status, answer.json) == (422, INVALID)
    assert make.everything() == before


@each_purpose
def test_nobody_gets_a_token_of_a_disabled_or_an_erased_account(
    make: Make, anyone: Caller, mail: Mail, db: Database, purpose: TokenPurpose
) -> None:
    alice, bob = make.customer("alice"), make.customer("bob")
    tokens = [mail(caller.customer_id, purpose) for caller in (alice, bob)]
    with db.write() as session:
        disable_customer(session, SYSTEM, alice.customer_id, reason="a test")
    bob.delete("/account")

    assert [redeem(anyone, purpose, token).json for token in tokens] == [INVALID, INVALID]
    for customer_id in (alice.customer_id, bob.customer_id, 0):
        with pytest.raises(AccountNotFound):
            mail(customer_id, purpose)


def test_only_tokens_past_their_time_are_forgotten(make: Make, mail: Mail, db: Database) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        alice = make.customer("alice")
        mail(alice.customer_id, TokenPurpose.RESET_PASSWORD)
        young = mail(alice.customer_id, TokenPurpose.VERIFY_EMAIL)
        clock.shift(timedelta(hours=1) + MOMENT)

        with db.write() as session:
            assert forget_expired_mailed_tokens(session) == 1

    [row] = rows_of(db, "account_token")
    assert row["token_hash"] == hashlib.sha256(young.encode()).hexdigest()


def test_whoever_registers_is_asked_to_verify_the_address(anyone: Caller, db: Database, mail: Mail) -> None:
    registered = anyone.post("/auth/register", {"username": "alice", "email": "a@example.com", "password": PASSWORD})

    customer_id = registered.json["user"]["id"]
    assert jobs_of(db) == [("mail.verify_email", {"customer_id": customer_id})]
    answer = redeem(anyone, TokenPurpose.VERIFY_EMAIL, mail(customer_id, TokenPurpose.VERIFY_EMAIL))
    assert answer.json == {"msg": "E-mail address verified"}
    [row] = rows_of(db, "customer")
    assert row["email_verified_at"] is not None


def test_the_message_can_be_asked_for_again_until_the_address_is_verified(
    make: Make, anyone: Caller, mail: Mail, db: Database
) -> None:
    alice = make.customer("alice")
    forget_jobs(db)

    first = anyone.post("/auth/verify-email/resend", {"email": "ALICE@example.com"})
    redeem(anyone, TokenPurpose.VERIFY_EMAIL, mail(alice.customer_id, TokenPurpose.VERIFY_EMAIL))
    second = anyone.post("/auth/verify-email/resend", {"email": "alice@example.com"})

    assert (first.status, second.status) == (200, 200)
    assert first.body == second.body
    assert jobs_of(db) == [("mail.verify_email", {"customer_id": alice.customer_id})]


def test_a_forgotten_password_is_reset_and_every_sign_in_ends(
    make: Make, anyone: Caller, mail: Mail, db: Database
) -> None:
    phone = register_and_sign_in(make)
    bob = register_and_sign_in(make, "bob")
    forget_jobs(db)
    asked = anyone.post("/auth/password/forgot", {"email": "Alice@example.com"})
    assert asked.json == {"msg": "If an account has this address, a message is on its way"}
    assert jobs_of(db) == [("mail.reset_password", {"customer_id": 1})]

    answer = redeem(anyone, TokenPurpose.RESET_PASSWORD, mail(1, TokenPurpose.RESET_PASSWORD))

    assert (answer.status, answer.json) == (200, {"msg": "Password changed"})
    assert not is_alive(make, phone)
    assert is_alive(make, bob)
    assert anyone.post("/auth/login", {"username": "alice", "password": PASSWORD}).json == INVALID_CREDENTIALS
    assert sign_in(make, "alice", NEW).caller.get("/account").json["user"]["is_email_verified"] is True
    assert ("mail.password_changed", {"customer_id": 1}) in jobs_of(db)


def test_a_password_changed_by_its_owner_makes_a_reset_worthless(make: Make, anyone: Caller, mail: Mail) -> None:
    alice = make.customer("alice")
    token = mail(alice.customer_id, TokenPurpose.RESET_PASSWORD)
    alice.post("/account/password", {"current_password": PASSWORD, "new_password": NEW})

    assert redeem(anyone, TokenPurpose.RESET_PASSWORD, token).json == INVALID


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("1234567", "string_too_short"),
        ("x" * 1_025, "string_too_long"),
        ("iloveyou", "common_password"),
        ("alice-in-chains", "password_like_name"),
    ],
)
def test_a_refused_password_leaves_the_token_for_another_try(
    make: Make, anyone: Caller, mail: Mail, password: str, code: str
) -> None:
    alice = make.customer("alice")
    token = mail(alice.customer_id, TokenPurpose.RESET_PASSWORD)

    answer = anyone.post("/auth/password/reset", {"token": token, "new_password": password})

    assert answer.status == 422
    assert [(error["pointer"], error["code"]) for error in answer.json["errors"]] == [("/new_password", code)]
    assert redeem(anyone, TokenPurpose.RESET_PASSWORD, token).status == 200


@pytest.mark.parametrize("path", ["/auth/password/forgot", "/auth/verify-email/resend"])
def test_a_stranger_does_not_learn_which_addresses_have_an_account(
    app: ShopApp, make: Make, anyone: Caller, db: Database, path: str
) -> None:
    make.customer("alice")
    disabled = make.customer("bob")
    with db.write() as session:
        disable_customer(session, SYSTEM, disabled.customer_id, reason="a test")
    forget_jobs(db)
    anyone.post(path, {"email": "alice@example.com"})  # what is prepared once is prepared

    answers, work = [], []
    for name in ("alice", "nobody", "bob"):
        with counted(app) as sent:
            answers.append(anyone.post(path, {"email": f"{name}@example.com"}))
        work.append(sent)

    assert [answer.status for answer in answers] == [200, 200, 200]
    assert len({answer.body for answer in answers}) == 1
    assert work[0] == work[1] == work[2]
    assert len(jobs_of(db)) == 2
    assert {payload["customer_id"] for _, payload in jobs_of(db)} == {1}


def test_another_address_takes_effect_when_its_owner_confirms_it(
    make: Make, anyone: Caller, mail: Mail, db: Database
) -> None:
    alice = make.customer("alice")
    forget_jobs(db)

    pending = alice.patch("/account", {"email": "ada@example.com"})

    assert pending.json["user"]["email"] == "alice@example.com"
    assert pending.json["user"]["pending_email"] == "ada@example.com"
    assert jobs_of(db) == [("mail.confirm_email_change", {"customer_id": alice.customer_id})]
    assert anyone.post("/auth/login", {"email": "ada@example.com", "password": PASSWORD}).status == 401

    answer = redeem(anyone, TokenPurpose.CHANGE_EMAIL, mail(alice.customer_id, TokenPurpose.CHANGE_EMAIL))

    assert answer.json == {"msg": "E-mail address changed"}
    user = alice.get("/account").json["user"]
    assert (user["email"], user["pending_email"], user["is_email_verified"]) == ("ada@example.com", None, True)
    assert anyone.post("/auth/login", {"email": "ada@example.com", "password": PASSWORD}).status == 200
    assert anyone.post("/auth/login", {"email": "alice@example.com", "password": PASSWORD}).status == 401


def test_what_was_mailed_to_the_old_address_is_void_once_it_has_changed(make: Make, anyone: Caller, mail: Mail) -> None:
    alice = alice_with_pending_address(make)
    reset = mail(alice.customer_id, TokenPurpose.RESET_PASSWORD)
    redeem(anyone, TokenPurpose.CHANGE_EMAIL, mail(alice.customer_id, TokenPurpose.CHANGE_EMAIL))

    assert redeem(anyone, TokenPurpose.RESET_PASSWORD, reset).json == INVALID


@pytest.mark.parametrize("changed_mind", ["alice@example.com", "third@example.com"])
def test_a_token_for_an_address_that_is_not_wanted_any_more_is_void(
    make: Make, anyone: Caller, mail: Mail, changed_mind: str
) -> None:
    alice = alice_with_pending_address(make)
    token = mail(alice.customer_id, TokenPurpose.CHANGE_EMAIL)
    alice.patch("/account", {"email": changed_mind})

    assert redeem(anyone, TokenPurpose.CHANGE_EMAIL, token).json == INVALID
    assert alice.get("/account").json["user"]["email"] == "alice@example.com"


def test_an_address_that_somebody_took_meanwhile_cannot_be_confirmed(
    make: Make, anyone: Caller, mail: Mail, db: Database
) -> None:
    alice = alice_with_pending_address(make)
    token = mail(alice.customer_id, TokenPurpose.CHANGE_EMAIL)
    anyone.post("/auth/register", {"username": "ada", "email": "ada@example.com", "password": PASSWORD})
    before = rows_of(db, "customer")

    answer = redeem(anyone, TokenPurpose.CHANGE_EMAIL, token)

    assert (answer.status, answer.json) == (409, EMAIL_TAKEN)
    assert rows_of(db, "customer") == before


def test_a_shop_may_ask_for_a_verified_address_before_anybody_signs_in(
    make_with: MakeWith, mail: Mail, db: Database
) -> None:
    make = make_with(require_verified_email=True)
    alice = make.customer("alice")
    body = {"username": "alice", "password": PASSWORD}

    refused = make.anyone().post("/auth/login", body)
    unknown = make.anyone().post("/auth/login", body | {"password": "wrong horse"})

    assert (refused.status, refused.json["code"]) == (403, "email_not_verified")
    assert (unknown.status, unknown.json) == (401, INVALID_CREDENTIALS)
    redeem(make.anyone(), TokenPurpose.VERIFY_EMAIL, mail(alice.customer_id, TokenPurpose.VERIFY_EMAIL))
    assert is_alive(make, sign_in(make, "alice"))


def test_the_owner_of_a_disabled_account_is_told_only_with_the_right_password(
    make: Make, anyone: Caller, db: Database
) -> None:
    phone = register_and_sign_in(make)
    bob = register_and_sign_in(make, "bob")
    with db.write() as session:
        disable_customer(session, SYSTEM, 1, reason="a test")

    right = anyone.post("/auth/login", {"username": "alice", "password": PASSWORD})
    wrong = anyone.post("/auth/login", {"username": "alice", "password": "wrong horse"})

    assert (right.status, right.json["code"]) == (403, "account_disabled")
    assert (wrong.status, wrong.json) == (401, INVALID_CREDENTIALS)
    assert not is_alive(make, phone)
    assert is_alive(make, bob)


def test_an_account_that_was_disabled_by_hand_is_refused_at_once(make: Make, db: Database) -> None:
    alice = make.customer("alice")
    with db.write() as session:
        session.execute(update(Customer).values(disabled_at=NOON))

    assert alice.get("/account").status == 401
