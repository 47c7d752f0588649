"""A retried write under an `Idempotency-Key` has one effect and the same answer."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select, text

from flaskart.kit import clock
from flaskart.kit.db import Database
from flaskart.orders.models import Order
from flaskart.web.idempotency import IdempotencyKey, forget_expired_keys
from tests.callers import Caller, Make


def count(db: Database, table: type[Order] | type[IdempotencyKey]) -> int:
    with db.read() as session:
        return session.scalars(select(func.count()).select_from(table)).one()


@pytest.fixture
def buyer(make: Make) -> Caller:
    """Alice, with a mug in her cart."""
    alice = make.customer()
    assert alice.post("/cart", {"product_id": make.product(stock=10)}).status == 200
    return alice


def test_a_lost_reply_is_not_a_second_order(buyer: Caller, db: Database) -> None:
    first = buyer.post("/orders", {}, Idempotency_Key="k1")

    second = buyer.post("/orders", {}, Idempotency_Key="k1")

    assert (first.status, second.status) == (201, 201)
    assert second.body == first.body
    assert second.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert count(db, Order) == 1


def test_the_same_body_written_otherwise_is_the_same_request(make: Make) -> None:
    alice, mug = make.customer(), make.product()
    first = b'{"product_id": %d, "quantity": 2}' % mug
    again = b'{"quantity":2,"product_id":%d}' % mug

    for body in (first, again):
        headers = {"Content_Type": "application/json", "Idempotency_Key": "k1"}
        assert alice.call_raw("POST", "/cart", body, **headers).status == 200

    assert alice.get("/cart").json["items_count"] == 2


@pytest.mark.parametrize(("first", "second"), [(b"39.98", b"39.980"), (b"20", b"20.0"), (b"20", b"2e1")])
def test_the_same_number_written_otherwise_is_the_same_request(make: Make, first: bytes, second: bytes) -> None:
    alice, mug = make.customer(), make.product(price=str(Decimal(first.decode()) / 2))
    alice.post("/cart", {"product_id": mug, "quantity": 2})

    answers = [
        alice.call_raw(
            "POST", "/orders", b'{"expected_total": %s}' % total, Content_Type="application/json", Idempotency_Key="k"
        )
        for total in (first, second)
    ]

    assert [answer.status for answer in answers] == [201, 201]
    assert answers[1].headers["Idempotency-Replayed"] == "true"


def test_another_request_under_the_same_key_is_refused(make: Make) -> None:
    alice, mug = make.customer(), make.product()
    alice.post("/cart", {"product_id": mug}, Idempotency_Key="k1")

    other_body = alice.post("/cart", {"product_id": mug, "quantity": 3}, Idempotency_Key="k1")
    other_path = alice.delete("/cart/clear", Idempotency_Key="k1")

    for answer in (other_body, other_path):
        assert (answer.status, answer.json["code"]) == (422, "idempotency_key_reused")
    assert alice.get("/cart").json["items_count"] == 1


def test_two_customers_may_use_the_same_key(make: Make) -> None:
    alice, bob, mug = make.customer("alice"), make.customer("bob"), make.product()

    for buyer in (alice, bob):
        answer = buyer.post("/cart", {"product_id": mug}, Idempotency_Key="k1")
        assert "Idempotency-Replayed" not in answer.headers

    assert alice.get("/cart").json["items_count"] == bob.get("/cart").json["items_count"] == 1


def test_a_refused_request_keeps_nothing_and_may_be_repaired(buyer: Caller, make: Make, db: Database) -> None:
    with db.write() as session:
        session.execute(text("UPDATE stock_level SET on_hand = 0"))
        session.execute(text("UPDATE stock_movement SET on_hand_delta = 0"))
    refused = buyer.post("/orders", Idempotency_Key="k1")
    assert refused.status == 409
    assert count(db, IdempotencyKey) == 0
    make.staff().patch("/products/1", {"stock": 5})

    placed = buyer.post("/orders", Idempotency_Key="k1")

    assert placed.status == 201
    assert count(db, Order) == 1


@pytest.mark.parametrize("key", ["", "k" * 256, "ключ", "tab\there"])
def test_a_malformed_key_is_a_400(buyer: Caller, db: Database, key: str) -> None:
    answer = buyer.call_raw("POST", "/orders", None, Idempotency_Key=key)

    assert (answer.status, answer.json["code"]) == (400, "idempotency_key_malformed")
    assert count(db, Order) == 0


def test_a_registration_is_answered_again(anyone: Caller) -> None:
    person = {"username": "ada", "email": "ada@example.com", "password": "long enough"}

    first = anyone.post("/auth/register", person, Idempotency_Key="k1")
    second = anyone.post("/auth/register", person, Idempotency_Key="k1")

    assert (first.status, second.status) == (201, 201)
    assert second.body == first.body


def test_tokens_are_never_kept(anyone: Caller, make: Make, db: Database) -> None:
    make.customer()

    for _ in range(2):
        login = anyone.post("/auth/login", {"username": "alice", "password": "correct horse"}, Idempotency_Key="k1")
        assert login.status == 200
        assert "Idempotency-Replayed" not in login.headers

    assert count(db, IdempotencyKey) == 0


def test_a_key_is_free_again_after_48_hours(make: Make, db: Database) -> None:
    alice, mug = make.customer(), make.product()
    alice.post("/cart", {"product_id": mug}, Idempotency_Key="k1")
    with db.write() as session:
        session.query(IdempotencyKey).update({"created_at": clock.now() - timedelta(hours=48, seconds=1)})

    again = alice.post("/cart", {"product_id": mug, "quantity": 2}, Idempotency_Key="k1")

    assert again.status == 200
    assert again.json["items_count"] == 3
    assert count(db, IdempotencyKey) == 1


def test_only_expired_keys_are_forgotten(make: Make, db: Database) -> None:
    alice, mug = make.customer(), make.product()
    for key in ("old", "new"):
        alice.post("/cart", {"product_id": mug}, Idempotency_Key=key)
    with db.write() as session:
        old = session.query(IdempotencyKey).filter_by(key="old")
        old.update({"created_at": clock.now() - timedelta(hours=49)})

    with db.write() as session:
        assert forget_expired_keys(session) == 1

    with db.read() as session:
        assert session.scalars(select(IdempotencyKey.key)).all() == ["new"]


def test_no_password_can_be_guessed_from_a_fingerprint(anyone: Caller, db: Database) -> None:
    person = {"username": "ada", "email": "ada@example.com", "password": "long enough"}
    anyone.post("/auth/register", person, Idempotency_Key="k1")

    with db.read() as session:
        row = session.scalars(select(IdempotencyKey)).one()

    assert len(row.fingerprint) == 32
    assert b"long enough" not in (row.body or b"")
