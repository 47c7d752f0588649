"""The second factor: one-time passwords and recovery codes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest
import time_machine
from time_machine import Traveller

from flaskart.accounts.actions import reset_second_factor, seal_anew
from flaskart.accounts.errors import CustomerNotFound
from flaskart.kit.audit import SYSTEM
from flaskart.kit.db import Database
from flaskart.kit.seals import SealedByAnotherKey, Seals
from tests.accounts.sign_ins import is_alive, problem, refresh, register_and_sign_in, rows_of, sign_in
from tests.callers import PASSWORD, Answer, Caller, Make, MakeWith
from tests.servers import SECRET

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
STEP = timedelta(seconds=30)
REQUIRED = problem(
    401,
    "Unauthorized",
    "second_factor_required",
    "This account has a second factor: send its code, too, as otp",
)
FAILED = problem(
    401,
    "Unauthorized",
    "second_factor_failed",
    "This code of the second factor is not right, has expired or was used",
)


@dataclass(frozen=True)
class Enrolled:
    """Alice, her authenticator app, and the recovery codes that she printed."""

    caller: Caller
    secret: str
    recovery_codes: list[str]

    def code(self, shift: int = 0) -> str:
        """Return what the app shows now, or so many steps from now."""
        return pyotp.TOTP(self.secret).at(datetime.now(UTC) + shift * STEP)

    def log_in(self, otp: str | None, password: str = PASSWORD) -> Answer:
        body = {"username": "alice", "password": password} | ({} if otp is None else {"otp": otp})
        return Caller(self.caller.send).post("/auth/login", body)


def enrol(caller: Caller) -> Enrolled:
    begun = caller.post("/account/second-factor", {"current_password": PASSWORD})
    assert begun.status == 201
    secret = begun.json["secret"]
    confirmed = caller.post("/account/second-factor/confirm", {"otp": pyotp.TOTP(secret).at(datetime.now(UTC))})
    assert confirmed.status == 200
    return Enrolled(caller, secret, confirmed.json["recovery_codes"])


@pytest.fixture
def clock() -> Iterator[Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def alice(make: Make, clock: Traveller) -> Enrolled:
    enrolled = enrol(make.customer("alice"))
    clock.shift(timedelta(minutes=5))
    return enrolled


def test_the_secret_is_shown_once_with_the_uri_that_apps_read(make: Make) -> None:
    alice = make.customer("alice")

    begun = alice.post("/account/second-factor", {"current_password": PASSWORD})

    assert (begun.status, set(begun.json)) == (201, {"msg", "secret", "otpauth_uri"})
    uri = urlsplit(begun.json["otpauth_uri"])
    assert (uri.scheme, uri.netloc, unquote(uri.path)) == ("otpauth", "totp", "/Flaskart:alice@example.com")
    assert parse_qs(uri.query) == {"secret": [begun.json["secret"]], "issuer": ["Flaskart"]}
    assert len(begun.json["secret"]) == 32  # 160 random bits in base 32
    assert alice.get("/account/second-factor").json == {"is_enrolled": False, "recovery_codes_left": 0}


def test_a_second_factor_counts_only_once_a_code_of_it_was_given(make: Make, clock: Traveller) -> None:
    alice = make.customer("alice")
    alice.post("/account/second-factor", {"current_password": PASSWORD})

    wrong = alice.post("/account/second-factor/confirm", {"otp": "000000"})

    assert (wrong.status, wrong.json["code"]) == (422, "wrong_code")
    assert is_alive(make, sign_in(make, "alice"))
    enrolled = enrol(alice)
    assert len(set(enrolled.recovery_codes)) == 10
    assert alice.get("/account/second-factor").json == {"is_enrolled": True, "recovery_codes_left": 10}
    assert alice.get("/account").json["user"]["has_second_factor"] is True


def test_enrolling_asks_for_the_password_and_ends_the_other_sign_ins(make: Make, clock: Traveller) -> None:
    phone, laptop = register_and_sign_in(make), sign_in(make)
    refused = phone.caller.post("/account/second-factor", {"current_password": "wrong horse"})

    enrol(phone.caller)

    assert (refused.status, refused.json["code"]) == (422, "wrong_password")
    assert is_alive(make, phone)
    assert not is_alive(make, laptop)


def test_without_a_code_the_right_password_is_not_enough(alice: Enrolled, db: Database) -> None:
    before = rows_of(db, "sign_in")

    answers = [alice.log_in(None), alice.log_in(None, "wrong horse"), alice.log_in(alice.code(), "wrong horse")]

    assert [answer.status for answer in answers] == [401, 401, 401]
    assert answers[0].json == REQUIRED
    assert {answer.json["code"] for answer in answers[1:]} == {"invalid_credentials"}
    assert rows_of(db, "sign_in") == before


def test_a_code_is_given_with_the_password_in_one_request(alice: Enrolled, make: Make) -> None:
    answer = alice.log_in(alice.code())

    assert answer.status == 200
    assert refresh(make, answer.json["refresh_token"]).status == 200


@pytest.mark.parametrize(("shift", "status"), [(-2, 401), (-1, 200), (0, 200), (1, 200), (2, 401)])
def test_clocks_may_differ_by_one_step(alice: Enrolled, shift: int, status: int) -> None:
    assert alice.log_in(alice.code(shift)).status == status


@pytest.mark.parametrize("otp", ["000000", "12345a", "      ", "١٢٣٤٥٦", "nul\0nul", "0000-0000-0000-0000"])
def test_a_wrong_code_is_refused_and_changes_nothing(alice: Enrolled, make: Make, otp: str) -> None:
    before = make.everything()

    answer = alice.log_in(otp)

    assert (answer.status, answer.json) == (401, FAILED)
    assert make.everything() == before


def test_a_code_that_was_used_is_refused_and_so_are_earlier_ones(alice: Enrolled, clock: Traveller) -> None:
    code, earlier = alice.code(), alice.code(-1)
    assert alice.log_in(code).status == 200

    answers = [alice.log_in(code), alice.log_in(earlier)]

    assert [answer.json for answer in answers] == [FAILED, FAILED]
    clock.shift(STEP)
    assert alice.log_in(code).json == FAILED
    assert alice.log_in(alice.code()).status == 200


def test_the_code_that_confirmed_does_not_sign_in(make: Make, clock: Traveller) -> None:
    enrolled = enrol(make.customer("alice"))

    assert enrolled.log_in(enrolled.code()).json == FAILED


def test_a_recovery_code_stands_in_once(alice: Enrolled) -> None:
    [code, other, *_] = alice.recovery_codes

    assert alice.log_in(code).status == 200
    assert alice.log_in(code).json == FAILED
    assert alice.log_in(other.replace("-", "").lower().replace("0", "o").replace("1", "l")).status == 200
    assert alice.caller.get("/account/second-factor").json == {"is_enrolled": True, "recovery_codes_left": 8}


def test_renewed_recovery_codes_replace_the_old_ones(alice: Enrolled) -> None:
    body = {"current_password": PASSWORD, "otp": alice.code()}

    renewed = alice.caller.post("/account/second-factor/recovery-codes", body)

    assert (renewed.status, len(renewed.json["recovery_codes"])) == (200, 10)
    assert alice.log_in(alice.recovery_codes[0]).json == FAILED
    assert alice.log_in(renewed.json["recovery_codes"][0]).status == 200


def test_turning_it_off_needs_password_and_code(alice: Enrolled, db: Database) -> None:
    path = "/account/second-factor/disable"
    wrong_code = alice.caller.post(path, {"current_password": PASSWORD, "otp": "000000"})
    wrong_password = alice.caller.post(path, {"current_password": "wrong horse", "otp": alice.code()})
    assert [(answer.status, answer.json["code"]) for answer in (wrong_code, wrong_password)] == [
        (422, "wrong_code"),
        (422, "wrong_password"),
    ]
    assert alice.log_in(None).json == REQUIRED

    answer = alice.caller.post(path, {"current_password": PASSWORD, "otp": alice.code()})

    assert (answer.status, answer.json) == (200, {"msg": "Second factor disabled"})
    assert alice.log_in(None).status == 200
    assert rows_of(db, "recovery_code") == []
    assert rows_of(db, "customer")[0]["totp_secret"] is None


def test_what_is_enrolled_is_not_enrolled_again_nor_what_is_not_confirmed(alice: Enrolled, make: Make) -> None:
    again = alice.caller.post("/account/second-factor", {"current_password": PASSWORD})
    confirmed = alice.caller.post("/account/second-factor/confirm", {"otp": alice.code()})
    bob = make.customer("bob")
    nothing = [
        bob.post("/account/second-factor/confirm", {"otp": "123456"}),
        bob.post("/account/second-factor/disable", {"current_password": PASSWORD, "otp": "123456"}),
        bob.post("/account/second-factor/recovery-codes", {"current_password": PASSWORD, "otp": "123456"}),
    ]

    assert [(answer.status, answer.json["code"]) for answer in (again, confirmed)] == [
        (409, "second_factor_enrolled")
    ] * 2
    assert [(answer.status, answer.json["code"]) for answer in nothing] == [(409, "second_factor_missing")] * 3


def test_no_secret_is_stored_in_the_clear(alice: Enrolled, make: Make) -> None:
    stored = str(make.everything())

    for secret in (alice.secret, *alice.recovery_codes, *(code.replace("-", "") for code in alice.recovery_codes)):
        assert secret not in stored


def test_a_second_factor_can_be_taken_from_an_account_whose_owner_lost_it(alice: Enrolled, db: Database) -> None:
    with db.write() as session:
        reset_second_factor(session, SYSTEM, alice.caller.customer_id)

    assert alice.log_in(None).status == 200
    with pytest.raises(CustomerNotFound), db.write() as session:
        reset_second_factor(session, SYSTEM, 0)


def test_another_secret_of_the_shop_keeps_second_factors(
    alice: Enrolled, make_with: MakeWith, db: Database, clock: Traveller
) -> None:
    new = b"the next secret of the tests, as long as the first"
    rotated = make_with(secret_key=new.decode(), old_secret_keys=SECRET)
    first = Enrolled(Caller(rotated.send), alice.secret, []).log_in(alice.code())
    with db.write() as session:
        assert seal_anew(session, Seals([new, SECRET.encode()])) == 1
        assert seal_anew(session, Seals([new, SECRET.encode()])) == 0
    clock.shift(STEP)
    retired = make_with(secret_key=new.decode())

    second = Enrolled(Caller(retired.send), alice.secret, []).log_in(alice.code())

    assert (first.status, second.status) == (200, 200)


def test_a_sealed_secret_is_not_opened_by_another_key() -> None:
    sealed = Seals([b"x" * 32]).seal("secret")

    assert Seals([b"x" * 32]).open(sealed) == "secret"
    with pytest.raises(SealedByAnotherKey):
        Seals([b"y" * 32]).open(sealed)


def test_a_shop_may_ask_staff_for_a_second_factor_before_anything_else(make_with: MakeWith, clock: Traveller) -> None:
    make = make_with(require_staff_second_factor=True)
    boss, alice = make.staff("boss"), make.customer("alice")
    product = {"name": "Mug", "price": 5}

    refused = [boss.post("/products", product), boss.get("/cart"), boss.delete("/account/sessions")]

    assert {(answer.status, answer.json["code"]) for answer in refused} == {(403, "second_factor_not_enrolled")}
    assert alice.get("/cart").status == 200
    assert boss.get("/account").status == 200
    enrol(boss)
    assert boss.post("/products", product).status == 201
