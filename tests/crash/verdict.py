"""What is left of the shop after a crash, compared with what the buyers were told."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import select

from flaskart.invariants import check_invariants
from flaskart.kit.db import Database
from flaskart.kit.money import to_major
from flaskart.orders.models import Order
from flaskart.web.idempotency import IdempotencyKey
from tests.callers import Make
from tests.crash.buyers import OPENING, Crowd, Receipt


def lost(db: Database, receipts: Sequence[Receipt]) -> list[Receipt]:
    """Return the receipts whose order is not there as it was told, or whose key does not give the same answer."""
    with db.read() as session:
        orders = {order.id: _facts_of(order) for order in session.scalars(select(Order))}
        answers = {
            (kept.caller, kept.key): (kept.status, kept.body)
            for kept in session.scalars(select(IdempotencyKey).where(IdempotencyKey.key.startswith("order-")))
        }
    return [
        receipt
        for receipt in receipts
        if orders.get(receipt.order["id"]) != _facts_told(receipt)
        or answers.get((f"customer:{receipt.buyer.customer_id}", receipt.key)) != (201, receipt.body)
    ]


def see_that_nothing_is_lost(db: Database, receipts: Sequence[Receipt]) -> None:
    """See that each order told of is there, and that nothing is half made. The shop may be at work meanwhile."""
    assert lost(db, receipts) == []
    with db.read() as session:
        assert check_invariants(session) == []


def see_that_all_is_exact(make: Make, crowd: Crowd, receipts: Sequence[Receipt]) -> None:
    """See, once all is quiet, that there are the orders told of and no other, and that each key gives its order."""
    see_that_nothing_is_lost(make.db, receipts)
    with make.db.read() as session:
        ids = session.scalars(select(Order.id).order_by(Order.id)).all()
    assert ids == sorted(receipt.order["id"] for receipt in receipts)
    sold = Counter[int]()
    for receipt in receipts:
        sold.update({item["product_id"]: item["quantity"] for item in receipt.order["items"]})
        again = receipt.buyer.post("/orders", {}, Idempotency_Key=receipt.key)
        assert (again.status, again.body, again.headers["Idempotency-Replayed"]) == (201, receipt.body, "true")
    for product_id in crowd.product_ids:
        assert make.stock_of(product_id) == OPENING - sold[product_id]


def _facts_of(order: Order) -> tuple[object, ...]:
    return (order.number, order.customer_id, order.items_count, to_major(order.total_minor, order.currency))


def _facts_told(receipt: Receipt) -> tuple[object, ...]:
    order = receipt.order
    return (order["number"], receipt.buyer.customer_id, order["items_count"], order["total"])
