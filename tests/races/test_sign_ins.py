"""Sign-ins in several processes: what ends one ends it everywhere, and nobody is locked out by asking twice."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from sqlalchemy import update

from flaskart.accounts.actions import disable_customer, issue_token
from flaskart.accounts.models import RefreshToken, TokenPurpose
from flaskart.kit.audit import SYSTEM
from flaskart.kit.db import Database
from tests.accounts.sign_ins import SignIn, is_alive, refresh, register_and_sign_in, rows_of, sign_in, signed_in
from tests.callers import PASSWORD, Caller, Make
from tests.races.crowd import Call, at_once

CLIENTS = 16


def statuses_everywhere(caller: Caller) -> set[int]:
    """Ask so often and on so many connections that each process is asked."""
    return {answer.status for answer in at_once([lambda: caller.get("/account")] * CLIENTS)}


def test_an_honest_client_that_refreshes_sixteen_times_at_once_stays_signed_in(make_over_http: Make) -> None:
    alice = register_and_sign_in(make_over_http)

    answers = at_once([lambda: refresh(make_over_http, alice.refresh_token)] * CLIENTS)

    assert Counter(answer.status for answer in answers) == {200: CLIENTS}
    continued = [signed_in(make_over_http, answer) for answer in answers]
    assert len({one.refresh_token for one in continued}) == CLIENTS
    assert is_alive(make_over_http, continued[0])
    assert is_alive(make_over_http, continued[-1])


def test_of_sixteen_who_reuse_an_old_token_nobody_gets_in_and_the_sign_in_ends(
    make_over_http: Make, db: Database
) -> None:
    stolen = register_and_sign_in(make_over_http)
    laptop = sign_in(make_over_http)
    continued = signed_in(make_over_http, refresh(make_over_http, stolen.refresh_token))
    with db.write() as session:
        long_ago = datetime.now(UTC) - timedelta(seconds=31)
        session.execute(update(RefreshToken).where(RefreshToken.used_at.is_not(None)).values(used_at=long_ago))

    answers = at_once([lambda: refresh(make_over_http, stolen.refresh_token)] * CLIENTS)

    assert {(answer.status, answer.json["code"]) for answer in answers} == {(401, "invalid_refresh_token")}
    assert statuses_everywhere(continued.caller) == {401}
    assert not is_alive(make_over_http, continued)
    assert is_alive(make_over_http, laptop)


@pytest.mark.parametrize("end", ["logout", "password", "disabling", "reset", "session", "sessions", "erasure"])
def test_what_ends_a_sign_in_bites_on_the_next_request_in_every_process(
    make_over_http: Make, db: Database, end: str
) -> None:
    phone, laptop = register_and_sign_in(make_over_http), sign_in(make_over_http)
    assert statuses_everywhere(laptop.caller) == {200}  # each process has verified its token by now

    _end(end, phone, laptop, db)

    assert statuses_everywhere(laptop.caller) == {401}
    assert refresh(make_over_http, laptop.refresh_token).status == 401


def _end(end: str, phone: SignIn, laptop: SignIn, db: Database) -> None:
    """End the sign-in of the laptop in one way or another."""
    caller = phone.caller
    if end == "logout":
        answer = laptop.caller.post("/auth/logout")
    elif end == "password":
        answer = caller.post("/account/password", {"current_password": PASSWORD, "new_password": "another horse"})
    elif end == "session":
        sessions = caller.get("/account/sessions").json["sessions"]
        [other] = [s["id"] for s in sessions[:2] if not s["is_current"]]  # the third began with the account
        answer = caller.delete(f"/account/sessions/{other}")
    elif end == "sessions":
        answer = caller.delete("/account/sessions")
    elif end == "erasure":
        answer = caller.delete("/account")
    elif end == "reset":
        with db.write() as session:
            token = issue_token(session, 1, TokenPurpose.RESET_PASSWORD)
        answer = Caller(caller.send).post("/auth/password/reset", {"token": token, "new_password": "another horse"})
    else:
        with db.write() as session:
            disable_customer(session, SYSTEM, 1, reason="a test")
        return
    assert answer.status == 200


def test_a_mailed_token_is_used_by_one_of_sixteen(make_over_http: Make, db: Database) -> None:
    alice = make_over_http.customer("alice")
    with db.write() as session:
        token = issue_token(session, alice.customer_id, TokenPurpose.RESET_PASSWORD)
    new = [f"another horse {number}" for number in range(CLIENTS)]

    def call_with(password: str) -> Call:
        body = {"token": token, "new_password": password}
        return lambda: make_over_http.anyone().post("/auth/password/reset", body)

    answers = at_once([call_with(password) for password in new])

    assert Counter(answer.status for answer in answers) == {200: 1, 422: CLIENTS - 1}
    [winner] = [password for password, answer in zip(new, answers, strict=True) if answer.status == 200]
    assert is_alive(make_over_http, sign_in(make_over_http, "alice", winner))


def test_a_code_signs_in_one_of_eight(make_over_http: Make, db: Database) -> None:
    alice = make_over_http.customer("alice")
    begun = alice.post("/account/second-factor", {"current_password": PASSWORD})
    totp = pyotp.TOTP(begun.json["secret"])
    confirmed = alice.post("/account/second-factor/confirm", {"otp": totp.now()})
    next_code = totp.at(datetime.now(UTC) + timedelta(seconds=30))
    [recovery_code, *_] = confirmed.json["recovery_codes"]

    for otp in (next_code, recovery_code):
        body = {"username": "alice", "password": PASSWORD, "otp": otp}
        call: Call = lambda body=body: make_over_http.anyone().post("/auth/login", body)  # type: ignore[misc]  # noqa: E731
        answers = at_once([call] * 8)

        assert Counter(answer.status for answer in answers) == {200: 1, 401: 7}
    assert len(rows_of(db, "recovery_code")) == 9
