"""A placed order is mailed about: once, and only if there is an order."""

from typing import Any

from sqlalchemy import select

from flaskart.kit.db import Database
from flaskart.kit.jobs import Job
from tests.callers import Caller, Make


def order(buyer: Caller, product_id: int) -> int:
    assert buyer.post("/cart", {"product_id": product_id}).status == 200
    placed = buyer.post("/orders")
    assert placed.status == 201
    return int(placed.json["order_id"])


def mails(db: Database) -> list[Any]:
    with db.read() as session:
        return list(session.scalars(select(Job.payload).where(Job.name == "mail.order_placed").order_by(Job.id)))


def test_a_placed_order_is_mailed_about(make: Make, db: Database) -> None:
    alice, mug = make.customer(), make.product(stock=1)

    order_id = order(alice, mug)

    assert mails(db) == [{"order_id": order_id}]


def test_an_order_that_is_refused_is_not_mailed_about(make: Make, db: Database) -> None:
    alice, mug = make.customer(), make.product(stock=1)
    assert alice.post("/cart", {"product_id": mug, "quantity": 1}).status == 200
    order(make.customer("bob"), mug)

    assert alice.post("/orders").status == 409

    assert len(mails(db)) == 1


def test_an_order_asked_for_twice_under_one_key_is_mailed_about_once(make: Make, db: Database) -> None:
    alice = make.customer()
    assert alice.post("/cart", {"product_id": make.product()}).status == 200

    for _ in range(2):
        assert alice.post("/orders", Idempotency_Key="one").status == 201

    assert len(mails(db)) == 1
