"""Signing in with a provider: who gets in, into which account, and who does not."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from threading import Barrier, Thread

import pytest
import time_machine
from sqlalchemy import update

from flaskart.accounts.actions import forget_expired_flows
from flaskart.accounts.models import Customer
from flaskart.kit.db import Database
from tests.accounts.oidc_provider import (
    CLIENT_SECRET,
    REDIRECT_URI,
    Provider,
    person,
    providers_file,
    providing,
    query_of,
)
from tests.accounts.sign_ins import INVALID_CREDENTIALS, is_alive, problem, rows_of, signed_in
from tests.accounts.social import SIGN_IN, Social, verify
from tests.callers import Answer, Caller, Make, MakeWith
from tests.conftest import TOKENS
from tests.servers import LOG, serving

INVALID_FLOW = problem(
    422,
    HTTPStatus(422).phrase,
    "invalid_sign_in_flow",
    "This sign-in was not started by you, is finished already or took too long; start again",
)


def test_a_shop_without_providers_lists_none_and_knows_none(anyone: Caller) -> None:
    assert anyone.get("/auth/oidc").json == {"providers": []}
    refused = anyone.post(f"{SIGN_IN}/start", {"redirect_uri": REDIRECT_URI})

    assert refused.status == 404
    assert refused.json["code"] == "provider_not_found"


def test_the_providers_are_listed_without_their_secrets(social: Social) -> None:
    listed = social.make.anyone().get("/auth/oidc")

    assert listed.json == {"providers": [{"name": "loop", "display_name": "Loopback"}]}
    assert social.provider.asked == []


def test_who_comes_for_the_first_time_gets_an_account(social: Social, db: Database) -> None:
    answer = social.sign_in(as_=person("ada"))

    assert answer.status == 200
    assert set(answer.json) == {"access_token", "refresh_token", "token_type", "expires_in"}
    account = social.signed_in(answer).get("/account").json["user"]
    assert (account["username"], account["email"], account["role"]) == ("ada", "ada@example.com", "customer")
    assert account["is_email_verified"] is True
    assert is_alive(social.make, signed_in(social.make, answer))
    [customer] = rows_of(db, "customer")
    assert customer["password_hash"] == ""


def test_who_comes_again_gets_the_same_account_whatever_has_changed_at_the_provider(
    social: Social, db: Database
) -> None:
    social.sign_in(as_=person("ada"))

    again = social.sign_in(as_=person("ada", email="lovelace@example.com", email_verified=False))

    assert social.signed_in(again).get("/account").json["user"]["email"] == "ada@example.com"
    assert len(rows_of(db, "customer")) == 1


@pytest.mark.parametrize(
    ("claims", "username"),
    [
        ({"preferred_username": "Ada Lovelace"}, "AdaLovelace"),
        ({"preferred_username": "ada@corp.example"}, "ada"),
        ({"preferred_username": None, "name": "Ада Л."}, "АдаЛ."),
        ({"preferred_username": "@ \x00"}, "ada"),
        ({"preferred_username": 7}, "ada"),
        ({"preferred_username": "x" * 200}, "x" * 40),
    ],
)
def test_a_username_is_made_from_what_the_provider_says(
    social: Social, claims: dict[str, object], username: str
) -> None:
    answer = social.sign_in(as_=person("ada") | claims)

    assert social.signed_in(answer).get("/account").json["user"]["username"] == username


def test_a_username_that_is_taken_gets_an_ending(social: Social) -> None:
    social.make.customer("ada")

    answer = social.sign_in(as_=person("ada", email="lovelace@example.com"))

    name = social.signed_in(answer).get("/account").json["user"]["username"]
    assert name.startswith("ada-")
    assert len(name) == 10


def test_an_account_without_a_password_is_opened_by_none(social: Social) -> None:
    social.sign_in(as_=person("ada"))

    refused = social.make.anyone().post("/auth/login", {"username": "ada", "password": " "})

    assert (refused.status, refused.json) == (401, INVALID_CREDENTIALS)


def test_an_address_that_both_sides_have_verified_links_the_account(social: Social, db: Database) -> None:
    ada = social.make.customer("ada")
    verify(db)

    answer = social.sign_in(as_=person("ada", email="ADA@Example.com"))

    assert social.signed_in(answer).get("/account").json["user"]["id"] == ada.customer_id
    assert ada.get("/account/identities").json["has_password"] is True
    assert len(rows_of(db, "customer")) == 1


def test_an_account_opened_with_somebody_elses_address_does_not_get_them_as_a_guest(social: Social) -> None:
    social.make.customer("ada")  # by a squatter, who cannot verify the address
    before = social.make.everything()

    refused = social.sign_in(as_=person("ada"))

    assert refused.status == 409
    assert refused.json["code"] == "account_not_linked"
    assert "sign in to it" in refused.json["detail"]
    assert social.make.everything() == before


def test_an_account_of_staff_is_not_linked_by_an_address(social: Social, db: Database) -> None:
    social.make.staff("ada")
    verify(db)
    before = social.make.everything()

    assert social.sign_in(as_=person("ada")).json["code"] == "account_not_linked"
    assert social.make.everything() == before


@pytest.mark.parametrize(
    ("vouches", "is_known"), [(False, True), (None, True), ("false", True), (1, True), (False, False), ("True", False)]
)
def test_an_address_the_provider_does_not_vouch_for_gets_nobody_in(
    social: Social, db: Database, vouches: object, is_known: bool
) -> None:
    if is_known:
        social.make.customer("ada")
        verify(db)
    before = social.make.everything()

    refused = social.sign_in(as_=person("ada", email_verified=vouches))

    assert refused.status == 403
    assert refused.json["code"] == "provider_email_unverified"
    assert social.make.everything() == before


@pytest.mark.parametrize("email", [None, "", "nobody", 7, f"{'x' * 300}@example.com"])
def test_an_address_that_is_none_gets_nobody_in(social: Social, email: object) -> None:
    social.provider.userinfo = {"sub": "sub-of-ada"}

    assert social.sign_in(as_=person("ada", email=email)).json["code"] == "provider_email_unverified"


def test_an_address_told_only_when_asked_counts_as_well(social: Social) -> None:
    social.provider.userinfo = person("ada")

    answer = social.sign_in(as_={"sub": "sub-of-ada"})

    assert social.signed_in(answer).get("/account").json["user"]["email"] == "ada@example.com"
    assert social.provider.asked[-1] == "/userinfo"


def test_what_is_told_of_somebody_else_is_refused(social: Social) -> None:
    social.provider.userinfo = person("bob")

    refused = social.sign_in(as_={"sub": "sub-of-ada"})

    assert (refused.status, refused.json["code"]) == (502, "provider_failed")


def test_a_callback_is_used_once(social: Social, db: Database) -> None:
    anyone = social.make.anyone()
    callback = social.come_back(social.start(anyone))
    assert anyone.post(f"{SIGN_IN}/finish", callback).status == 200
    before = social.make.everything()

    replayed = anyone.post(f"{SIGN_IN}/finish", callback)

    assert (replayed.status, replayed.json) == (422, INVALID_FLOW)
    assert social.make.everything() == before
    assert rows_of(db, "oidc_flow") == []


def test_a_code_is_used_once(social: Social) -> None:
    anyone = social.make.anyone()
    used = social.come_back(social.start(anyone))
    assert anyone.post(f"{SIGN_IN}/finish", used).status == 200
    before = social.make.everything()

    fresh = social.come_back(social.start(anyone))
    replayed = anyone.post(f"{SIGN_IN}/finish", fresh | {"code": used["code"]})

    assert (replayed.status, replayed.json["code"]) == (422, "code_refused")
    assert replayed.json["errors"][0]["pointer"] == "/code"
    assert social.make.everything() == before


def test_a_code_of_another_sign_in_is_refused(social: Social) -> None:
    """PKCE: the attacker's code does not fit the victim's flow, though the attacker made up neither."""
    anyone = social.make.anyone()
    of_attacker = social.come_back(social.start(anyone))
    of_victim = social.come_back(social.start(anyone))

    refused = anyone.post(f"{SIGN_IN}/finish", of_victim | {"code": of_attacker["code"]})

    assert (refused.status, refused.json["code"]) == (422, "code_refused")


@pytest.mark.parametrize("borrowed", [{"flow_token"}, {"state", "code"}])
def test_nobody_is_signed_in_by_somebody_elses_callback(social: Social, borrowed: set[str]) -> None:
    """Login CSRF: a victim who is sent to the attacker's callback has another flow token, or none."""
    anyone = social.make.anyone()
    of_attacker = social.come_back(social.start(anyone))
    of_victim = social.come_back(social.start(anyone))
    before = social.make.everything()

    mixed = of_victim | {name: of_attacker[name] for name in borrowed}
    refused = anyone.post(f"{SIGN_IN}/finish", mixed)

    assert (refused.status, refused.json) == (422, INVALID_FLOW)
    assert social.make.everything() == before
    assert anyone.post(f"{SIGN_IN}/finish", of_victim).status == 200


def test_a_sign_in_has_ten_minutes(social: Social) -> None:
    anyone = social.make.anyone()
    start = datetime.now(UTC)
    with time_machine.travel(start, tick=False) as clock:
        in_time, late = (social.come_back(social.start(anyone)) for _ in range(2))
        clock.move_to(start + timedelta(seconds=599))
        assert anyone.post(f"{SIGN_IN}/finish", in_time).status == 200
        clock.move_to(start + timedelta(seconds=600))
        refused = anyone.post(f"{SIGN_IN}/finish", late)

    assert (refused.status, refused.json) == (422, INVALID_FLOW)


@pytest.mark.parametrize(
    "uri",
    ["https://evil.example", f"{REDIRECT_URI}/", f"{REDIRECT_URI}?next=https://evil.example", REDIRECT_URI.upper()],
)
def test_people_are_sent_nowhere_else(social: Social, uri: str) -> None:
    refused = social.make.anyone().post(f"{SIGN_IN}/start", {"redirect_uri": uri})

    assert (refused.status, refused.json["code"]) == (422, "redirect_uri_not_allowed")
    assert refused.json["errors"][0]["pointer"] == "/redirect_uri"
    assert social.provider.asked == []


def test_the_provider_is_asked_with_pkce_and_a_nonce_and_nothing_secret_is_kept(social: Social, db: Database) -> None:
    started = social.start(social.make.anyone())

    sent = query_of(started["authorization_url"])
    assert sent["code_challenge_method"] == "S256"
    assert sent["state"] == started["state"]
    assert sent["scope"] == "openid email profile"
    assert started["expires_in"] == 600
    assert started["flow_token"] not in started["authorization_url"]
    [row] = rows_of(db, "oidc_flow")
    kept = " ".join(str(value) for value in row.values())
    for secret in (started["state"], started["flow_token"], sent["nonce"], sent["code_challenge"]):
        assert len(secret) == 43
        assert secret not in kept


def test_a_callback_of_another_issuer_is_refused(social: Social) -> None:
    anyone = social.make.anyone()
    callback = social.come_back(social.start(anyone))
    without = {name: value for name, value in callback.items() if name != "iss"}

    for mixed_up in (callback | {"iss": "https://evil.example"}, without):
        refused = anyone.post(f"{SIGN_IN}/finish", mixed_up)
        assert (refused.status, refused.json["code"]) == (422, "issuer_mixed_up")
    assert anyone.post(f"{SIGN_IN}/finish", callback).status == 200


def test_a_callback_does_not_count_at_another_provider(provider: Provider, make_with: MakeWith, tmp_path: Path) -> None:
    with providing() as other:
        file = providers_file(tmp_path, provider.issuer, second_issuer=other.issuer)
        social = Social(make_with(oidc_providers=file), provider)
        anyone = social.make.anyone()
        callback = social.come_back(social.start(anyone))

        refused = anyone.post("/auth/oidc/other/finish", callback | {"iss": other.issuer})

        assert (refused.status, refused.json) == (422, INVALID_FLOW)
        assert other.asked == ["/.well-known/openid-configuration"]


def test_who_has_left_the_shop_comes_back_as_somebody_new(social: Social, db: Database) -> None:
    first = social.signed_in(social.sign_in(as_=person("ada")))
    assert first.delete("/account").status == 200
    assert rows_of(db, "external_identity") == []

    again = social.signed_in(social.sign_in())

    assert first.get("/account").status == 401
    assert again.get("/account").json["user"]["id"] != 1
    assert again.get("/orders").json["orders"] == []


def test_an_account_erased_behind_the_shops_back_stays_shut(social: Social, db: Database) -> None:
    social.sign_in(as_=person("ada"))
    with db.write() as session:
        session.execute(update(Customer).values(erased_at=datetime.now(UTC)))

    refused = social.sign_in()

    assert (refused.status, refused.json) == (401, INVALID_CREDENTIALS)


def test_nobody_waits_for_a_provider(social: Social, make: Make) -> None:
    """No transaction is open meanwhile: on SQLite nobody else could write."""
    anyone = social.make.anyone()
    callback = social.come_back(social.start(anyone))
    written: list[int] = []
    social.provider.id_token = lambda claims: (
        written.append(make.product()),  # type: ignore[func-returns-value]
        social.provider.sign(claims),
    )[1]

    answer = anyone.post(f"{SIGN_IN}/finish", callback)

    assert answer.status == 200
    assert written == [1]


def test_two_who_come_for_the_first_time_at_once_are_one(social: Social, db: Database) -> None:
    callbacks = [social.come_back(social.start(social.make.anyone())) for _ in range(4)]
    together, answers = Barrier(2), list[Answer]()  # as many talks as a process has at once
    social.provider.id_token = lambda claims: (together.wait(10), social.provider.sign(claims))[1]

    def finish(callback: dict[str, str]) -> None:
        answers.append(social.make.anyone().post(f"{SIGN_IN}/finish", callback))

    threads = [Thread(target=finish, args=[callback]) for callback in callbacks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [answer.status for answer in answers] == [200] * 4
    assert len(rows_of(db, "customer")) == len(rows_of(db, "external_identity")) == 1


def test_sign_ins_never_finished_are_swept(social: Social, db: Database) -> None:
    start = datetime.now(UTC)
    with time_machine.travel(start, tick=False) as clock:
        social.start(social.make.anyone())
        clock.shift(601)
        social.start(social.make.anyone())
        with db.write() as session:
            swept = forget_expired_flows(session)

    assert swept == 1
    assert [row["id"] for row in rows_of(db, "oidc_flow")] == [2]


def test_a_sign_in_goes_on_in_whichever_process_answers(
    provider: Provider, database_url: str, db: Database, tmp_path: Path
) -> None:
    file = providers_file(tmp_path, provider.issuer)
    with serving(database_url, tmp_path, FLASKART_OIDC_PROVIDERS=str(file)) as server:
        social = Social(Make(db, TOKENS, server.send), provider)

        names = {
            social.signed_in(social.sign_in(as_=person(name))).get("/account").json["user"]["username"]
            for name in ("ada", "bob", "ada")
        }

    assert names == {"ada", "bob"}
    assert [row["username"] for row in rows_of(db, "customer")] == ["ada", "bob"]
    assert CLIENT_SECRET not in (tmp_path / LOG).read_text()


@pytest.mark.parametrize("member", ["code", "state", "flow_token"])
@pytest.mark.parametrize("value", [None, "", "x" * 5_000])
def test_a_member_that_is_not_right_is_named(social: Social, member: str, value: object) -> None:
    callback: dict[str, object] = {"code": "c", "state": "s", "flow_token": "f"}

    refused = social.make.anyone().post(f"{SIGN_IN}/finish", callback | {member: value})

    assert refused.status == 422
    assert [error["pointer"] for error in refused.json["errors"]] == [f"/{member}"]
    assert social.provider.asked == []
