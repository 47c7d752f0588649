"""The verdict on a crash: it notices what is missing or changed, or the tests of crashes would prove nothing."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from flaskart.kit.db import Database
from tests.callers import Make
from tests.crash.buyers import Receipt
from tests.crash.verdict import lost


@pytest.fixture
def receipt(make: Make) -> Receipt:
    """Alice's, who ordered a mug."""
    alice = make.customer()
    alice.post("/cart", {"product_id": make.product()})
    answer = alice.post("/orders", {}, Idempotency_Key="order-0")
    return Receipt(alice, "order-0", answer.body, answer.json["order"], 0)


def test_an_order_that_is_there_as_it_was_told_is_not_lost(db: Database, receipt: Receipt) -> None:
    assert lost(db, [receipt]) == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE \"order\" SET number = '1'",
        "DELETE FROM idempotency_key",
        "UPDATE idempotency_key SET status = 200",
        "UPDATE idempotency_key SET key = 'another'",
    ],
)
def test_an_order_of_which_a_part_is_missing_or_changed_is_lost(db: Database, receipt: Receipt, change: str) -> None:
    with db.write() as session:
        session.execute(text(change))

    assert lost(db, [receipt]) == [receipt]


def test_an_order_told_in_other_words_is_lost(db: Database, receipt: Receipt) -> None:
    for told in ({"id": 2}, {"total": 0}, {"items_count": 2}):
        other = replace(receipt, order=receipt.order | told)

        assert lost(db, [other]) == [other]
