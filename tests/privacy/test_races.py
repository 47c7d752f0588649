"""Somebody is erased while they still do something: it ends well for both, and nothing of them is left."""

from concurrent.futures import ThreadPoolExecutor

from flaskart.cart.actions import add_item
from flaskart.kit.actor import OF_EVERYONE, Actor
from flaskart.kit.db import Database
from flaskart.orders.actions import cancel_order
from flaskart.privacy import actions
from flaskart.privacy.jobs import erase_again
from tests.accounts.sign_ins import rows_of
from tests.callers import Caller, Make
from tests.databases import wait_until_blocked


def acting(caller: Caller) -> Actor:
    return Actor(caller.customer_id, OF_EVERYONE, "this sign-in")


def test_an_order_waits_for_an_account_that_is_being_deleted_and_finds_it_gone(make: Make, db: Database) -> None:
    alice, mug = make.customer(), make.product()
    alice.post("/cart", {"product_id": mug})

    with ThreadPoolExecutor(1) as pool:
        with db.write() as session:
            actions.erase_account(session, acting(alice))
            session.flush()
            ordering = pool.submit(alice.post, "/orders")
            wait_until_blocked(db)
        answer = ordering.result()

    assert answer.status in (401, 404)  # on SQLite the order may have begun before its sign-in ended, or after
    assert make.everything()["order"] == []
    assert make.stock_of(mug) == 10


def test_an_order_under_way_is_erased_as_well(make: Make, db: Database) -> None:
    alice, mug = make.customer(), make.product()
    alice.post("/cart", {"product_id": mug})
    order_id = alice.post("/orders").json["order_id"]

    with ThreadPoolExecutor(1) as pool:
        with db.write() as session:
            cancel_order(session, acting(alice), order_id)
            erasing = pool.submit(alice.delete, "/account")
            wait_until_blocked(db)
        answer = erasing.result()

    assert answer.status == 200
    [order] = rows_of(db, "order")
    assert (order["status"], order["email"]) == ("canceled", "@erased-1")
    assert make.stock_of(mug) == 10


def test_an_order_is_canceled_by_somebody_who_is_being_erased(make: Make, db: Database) -> None:
    alice, mug = make.customer(), make.product()
    alice.post("/cart", {"product_id": mug})
    order_id = alice.post("/orders").json["order_id"]

    with ThreadPoolExecutor(1) as pool:
        with db.write() as session:
            actions.erase_account(session, acting(alice))
            session.flush()
            canceling = pool.submit(alice.post, f"/orders/{order_id}/cancel")
            wait_until_blocked(db)
        answer = canceling.result()

    assert answer.status in (200, 401)  # asked before the sign-in ended, or after
    [order] = rows_of(db, "order")
    assert (order["status"] == "canceled", order["email"]) == (answer.status == 200, "@erased-1")


def test_a_cart_that_was_being_filled_is_gone_after_the_second_round(make: Make, db: Database) -> None:
    alice, mug = make.customer(), make.product()

    with ThreadPoolExecutor(1) as pool:
        with db.write() as session:
            add_item(session, acting(alice), quantity=1, currency="USD", product_id=mug)
            erasing = pool.submit(alice.delete, "/account")
            wait_until_blocked(db)
        answer = erasing.result()
    with db.write() as session:
        erase_again(session, {"erased_id": alice.customer_id})

    assert answer.status == 200
    assert rows_of(db, "cart") == rows_of(db, "cart_line") == []


def test_two_erasures_at_once_are_one(make: Make, db: Database) -> None:
    alice = make.customer()

    with ThreadPoolExecutor(2) as pool:
        statuses = sorted(answer.status for answer in pool.map(lambda _: alice.delete("/account"), range(2)))

    assert statuses[0] == 200
    assert statuses[1] in (401, 404)
    assert [job["name"] for job in rows_of(db, "job")] == ["privacy.erase_again"]
