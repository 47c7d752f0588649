"""`POST /orders/{id}/cancel`: once, and only as long as nothing is fulfilled."""

import pytest
from sqlalchemy import select, text

from flaskart.kit.db import Database
from flaskart.orders.models import OrderEvent
from tests.callers import Caller, Make


def shopper_with_order(make: Make) -> Caller:
    """Return alice, who ordered four of product 1, of which there were ten."""
    alice, mug = make.customer(), make.product("Mug", stock=10)
    alice.post("/cart", {"product_id": mug, "quantity": 4})
    assert alice.post("/orders").json["order_id"] == 1
    return alice


def events(db: Database) -> list[str]:
    with db.read() as session:
        return list(session.scalars(select(OrderEvent.kind).order_by(OrderEvent.id)))


def test_a_canceled_order_gives_its_stock_back(make: Make, db: Database) -> None:
    alice = shopper_with_order(make)
    placed = alice.get("/orders/1").json["order"]
    assert make.stock_of(1) == 6

    answer = alice.post("/orders/1/cancel")

    assert answer.status == 200
    assert answer.json["msg"] == "Order canceled"
    order = answer.json["order"]
    assert order["canceled_at"] > order["date"]
    changed = {"status": "canceled", "fulfillment_status": "canceled", "canceled_at": order["canceled_at"]}
    assert order == placed | changed
    assert alice.get("/orders/1").json["order"] == order
    assert [summary["status"] for summary in alice.get("/orders").json["orders"]] == ["canceled"]
    assert make.stock_of(1) == 10
    assert events(db) == ["placed", "canceled"]


def test_canceling_again_changes_nothing(make: Make) -> None:
    alice = shopper_with_order(make)
    first = alice.post("/orders/1/cancel")
    before = make.everything()

    again = alice.post("/orders/1/cancel")

    assert (again.status, again.json) == (200, first.json)
    assert make.everything() == before
    assert make.stock_of(1) == 10


def test_canceling_one_order_leaves_the_others(make: Make) -> None:
    alice, bob = shopper_with_order(make), make.customer("bob")
    bob.post("/cart", {"product_id": 1, "quantity": 3})
    bob.post("/orders")
    kept = bob.get("/orders/2").json

    alice.post("/orders/1/cancel")

    assert bob.get("/orders/2").json == kept
    assert make.stock_of(1) == 7


def test_the_stock_of_a_canceled_order_can_be_ordered_by_another(make: Make) -> None:
    alice, bob = shopper_with_order(make), make.customer("bob")
    alice.post("/orders/1/cancel")

    bob.post("/cart", {"product_id": 1, "quantity": 10})
    answer = bob.post("/orders")

    assert answer.status == 201
    assert make.stock_of(1) == 0


def test_what_was_in_a_canceled_order_does_not_come_back_to_the_cart(make: Make) -> None:
    alice = shopper_with_order(make)

    alice.post("/orders/1/cancel")

    assert alice.get("/cart").json["cart"] == []


@pytest.mark.parametrize("fulfillment_status", ["partial", "fulfilled", "delivered"])
def test_an_order_of_which_something_is_fulfilled_cannot_be_canceled(
    make: Make, db: Database, fulfillment_status: str
) -> None:
    alice = shopper_with_order(make)
    with db.write() as session:
        fulfilled = text('UPDATE "order" SET fulfillment_status = :status')
        session.execute(fulfilled, {"status": fulfillment_status})
    before = make.everything()

    answer = alice.post("/orders/1/cancel")

    assert answer.status == 409
    assert answer.json["code"] == "invalid_transition"
    assert answer.json["msg"] == "The order cannot change that way any more"
    assert (answer.json["order_status"], answer.json["fulfillment_status"]) == ("placed", fulfillment_status)
    assert answer.json["allowed"] == []
    assert make.everything() == before
    assert make.stock_of(1) == 6
