"""Another secret for the shop: what the old one has signed stays good, and new tokens are the new one's."""

import base64
import json
from datetime import timedelta

import time_machine

from flaskart.kit import clock
from flaskart.web.tokens import AccessTokens, key_id
from tests.callers import PASSWORD, Caller, Make, MakeWith
from tests.servers import SECRET

NEW = "the next secret of the tests, as long as the first"


def kid_of(token: str | None) -> object:
    return json.loads(base64.urlsafe_b64decode(str(token).split(".")[0] + "=="))["kid"]


def test_tokens_of_the_old_secret_are_believed_until_they_expire(make: Make, make_with: MakeWith) -> None:
    with time_machine.travel(clock.now(), tick=False) as time:
        alice = make.customer("alice")
        rotated = make_with(secret_key=NEW, old_secret_keys=SECRET)
        time.shift(timedelta(seconds=899))
        assert Caller(rotated.send, alice.token).get("/account").status == 200
        time.shift(timedelta(seconds=1))

        answer = Caller(rotated.send, alice.token).get("/account")

    assert (answer.status, answer.json["code"]) == (401, "invalid_token")


def test_new_tokens_are_signed_with_the_new_secret(make: Make, make_with: MakeWith) -> None:
    alice = make.customer("alice")
    rotated, forgetful = make_with(secret_key=NEW, old_secret_keys=SECRET), make_with(secret_key=NEW)

    token = rotated.anyone().post("/auth/login", {"username": "alice", "password": PASSWORD}).json["access_token"]

    assert (kid_of(alice.token), kid_of(token)) == (key_id(SECRET.encode()), key_id(NEW.encode()))
    assert Caller(forgetful.send, token).get("/account").status == 200
    assert Caller(forgetful.send, alice.token).get("/account").status == 401


def test_a_secret_signs_under_its_own_name_only(make: Make, make_with: MakeWith) -> None:
    alice = make.customer("alice")
    rotated = make_with(secret_key=NEW, old_secret_keys=SECRET)
    old, new = AccessTokens.with_secret(SECRET.encode(), 900), AccessTokens.with_secret(NEW.encode(), 900)
    session_id = json.loads(base64.urlsafe_b64decode(str(alice.token).split(".")[1] + "=="))["sid"]
    crossed = AccessTokens({new.key_id: old.keys[old.key_id]}, new.key_id, 900)

    answer = Caller(rotated.send, crossed.sign(alice.customer_id, session_id)).get("/account")

    assert Caller(rotated.send, new.sign(alice.customer_id, session_id)).get("/account").status == 200
    assert (answer.status, answer.json["code"]) == (401, "invalid_token")


def test_a_process_that_signs_with_the_old_secret_believes_the_new_one_first(make: Make, make_with: MakeWith) -> None:
    make.customer("alice")
    prepared, rotated = make_with(old_secret_keys=NEW), make_with(secret_key=NEW, old_secret_keys=SECRET)
    body = {"username": "alice", "password": PASSWORD}

    tokens = [shop.anyone().post("/auth/login", body).json["access_token"] for shop in (prepared, rotated)]

    assert [kid_of(token) for token in tokens] == [key_id(SECRET.encode()), key_id(NEW.encode())]
    for shop in (prepared, rotated):
        assert [Caller(shop.send, token).get("/account").status for token in tokens] == [200, 200]


def test_several_old_secrets_are_believed(make: Make, make_with: MakeWith) -> None:
    alice = make.customer("alice")
    rotated = make_with(secret_key=NEW, old_secret_keys=f"{'x' * 32}\n{SECRET}\n")

    assert Caller(rotated.send, alice.token).get("/account").status == 200


def test_a_replay_is_one_after_the_secret_has_changed(make: Make, make_with: MakeWith) -> None:
    alice = make.customer("alice")
    alice.post("/cart", {"product_id": make.product()})
    first = alice.post("/orders", {}, Idempotency_Key="k")
    rotated = Caller(make_with(secret_key=NEW, old_secret_keys=SECRET).send, alice.token)

    again, other = rotated.post("/orders", {}, Idempotency_Key="k"), rotated.post("/cart", {}, Idempotency_Key="k")

    assert (again.status, again.body) == (201, first.body)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert other.status == 422


def test_a_key_whose_secret_is_gone_is_free_again_after_48_hours(make: Make, make_with: MakeWith) -> None:
    alice = make.customer("alice")
    body = {"product_id": make.product()}
    with time_machine.travel(clock.now(), tick=False) as time:
        assert alice.post("/cart", body, Idempotency_Key="k").status == 200
        forgetful = make_with(secret_key=NEW)
        login = {"username": "alice", "password": PASSWORD}

        def again() -> int:
            tokens = forgetful.anyone().post("/auth/login", login).json
            return Caller(forgetful.send, tokens["access_token"]).post("/cart", body, Idempotency_Key="k").status

        assert again() == 422
        time.shift(timedelta(hours=48, seconds=1))

        assert again() == 200
