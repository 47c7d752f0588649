"""Sign-ins and their ends that meet half way: what ends a sign-in ends it for good."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from flaskart.accounts import actions
from flaskart.accounts.errors import WrongPassword
from flaskart.accounts.passwords import hash_password
from flaskart.kit.actor import OF_EVERYONE, Actor
from flaskart.kit.db import Database
from flaskart.kit.slots import Slots
from tests.accounts.sign_ins import is_alive, refresh, register_and_sign_in
from tests.callers import PASSWORD, Make
from tests.databases import wait_until_blocked


def test_a_refresh_does_not_slip_past_a_logout_under_way(make: Make, db: Database) -> None:
    alice = register_and_sign_in(make)

    with ThreadPoolExecutor(1) as pool:
        with db.write() as session:
            actions.log_out(session, refresh_token=alice.refresh_token)
            refreshing = pool.submit(refresh, make, alice.refresh_token)
            wait_until_blocked(db)
        answer = refreshing.result()

    assert answer.status == 401
    assert not is_alive(make, alice)


def test_nobody_signs_in_with_a_password_that_is_being_changed(make: Make, db: Database) -> None:
    alice = make.customer()
    actor = Actor(alice.customer_id, OF_EVERYONE, "this sign-in")
    new_hash = hash_password("another long one")
    verified = actions.find_verified_hash(db, actor, PASSWORD, HASHING)

    with ThreadPoolExecutor(1) as pool:
        with db.write() as session:
            change_password(session, actor, verified_hash=verified, new_hash=new_hash)
            body = {"username": "alice", "password": PASSWORD}
            signing_in = pool.submit(make.anyone().post, "/auth/login", body)
            wait_until_blocked(db)
        answer = signing_in.result()

    assert answer.status == 401
    assert answer.json["msg"] == "Invalid credentials"


def test_a_password_changed_since_it_was_verified_is_not_changed_again(make: Make, db: Database) -> None:
    alice = make.customer()
    actor = Actor(alice.customer_id, OF_EVERYONE, "this sign-in")
    verified = actions.find_verified_hash(db, actor, PASSWORD, HASHING)
    with db.write() as session:
        change_password(session, actor, verified_hash=verified, new_hash=hash_password("the first to come"))

    with pytest.raises(WrongPassword), db.write() as session:
        change_password(session, actor, verified_hash=verified, new_hash=hash_password("the second"))

    assert actions.find_verified_hash(db, actor, "the first to come", HASHING) is not None


HASHING = Slots(2, wait_seconds=5)
change_password = partial(actions.change_password, new_password="another long one")
