"""`flaskart doctor`: what is wrong with a shop's data, and that it is told."""

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from flaskart.accounts.actions import register
from flaskart.cart.actions import add_item
from flaskart.checkout.actions import place_order
from flaskart.invariants import check_invariants
from flaskart.kit.actor import Actor, Role
from flaskart.kit.db import Database
from flaskart.listings.actions import add_listing
from tests.cli.shells import Shell

RULES = {
    "I1": "no counter is negative and nothing is oversold",
    "I3": "each level is the sum of its ledger",
    "I4": "the total of an order is the sum of its lines",
    "I5": "an order has at least one line",
    "I6": "an order was placed exactly once",
    "I10": "an order holds the stock of its lines, a canceled one holds none",
    "I11": "no request is left half done",
}
CHECKS = {
    "stock_level": ("ck_stock_level_never_oversold", "ck_stock_level_on_hand"),
    "order": ("ck_order_total",),
}
HALF_DONE = (
    "INSERT INTO idempotency_key (caller, key, fingerprint, created_at)"
    " VALUES ('customer:1', '{key}', 'x', '2026-03-01 12:00:00')"
)
PLACE_AGAIN = (
    "INSERT INTO order_event (order_id, kind, customer_id, created_at)"
    " SELECT order_id, kind, customer_id, created_at FROM order_event"
)


@pytest.fixture
def broken(database_url: str) -> Iterator[Database]:
    """A shop with one order of two pieces out of five, whose data the test is free to break."""
    database = Database(database_url)
    with database.write() as session:
        product_id = add_listing(session, name="Mug", price_minor=1_999, currency="USD", stock=5)
        alice = register(session, username="alice", email="alice@example.com", password_hash="none")
        actor = Actor(alice.id, Role.CUSTOMER, "a sign-in")
        add_item(session, actor, quantity=2, currency="USD", product_id=product_id)
        place_order(session, actor)
    yield database
    database.close()


def test_a_sound_shop_is_well(shop: Shell, broken: Database) -> None:
    assert shop.done("doctor") == "All is well.\n"
    assert shop.done("doctor", "--json") == "[]\n"


@pytest.mark.parametrize(
    ("invariant", "statements"),
    [
        pytest.param(
            "I1",
            [
                "UPDATE stock_level SET on_hand = 1",
                "UPDATE stock_movement SET on_hand_delta = 1 WHERE kind = 'received'",
            ],
            id="I1: more promised than there is",
        ),
        pytest.param(
            "I1",
            [
                "UPDATE stock_level SET on_hand = -1, backorder_limit = NULL",
                "UPDATE stock_movement SET on_hand_delta = -1 WHERE kind = 'received'",
            ],
            id="I1: less than nothing on hand",
        ),
        pytest.param(
            "I1",
            [
                "UPDATE stock_level SET held = -1",
                "UPDATE stock_movement SET held_delta = -1 WHERE kind = 'received'",
            ],
            id="I1: less than nothing held",
        ),
        pytest.param("I3", ["UPDATE stock_level SET on_hand = 6"], id="I3: a piece nobody received"),
        pytest.param("I3", ["UPDATE stock_level SET allocated = 3"], id="I3: a piece nobody promised"),
        pytest.param("I3", ["UPDATE stock_level SET held = 1"], id="I3: a piece nobody held"),
        pytest.param("I3", ["DELETE FROM stock_movement WHERE kind = 'received'"], id="I3: a hole in the ledger"),
        pytest.param(
            "I4",
            ['UPDATE "order" SET subtotal_minor = 3999, total_minor = 3999'],
            id="I4: a subtotal of other lines",
        ),
        pytest.param("I4", ['UPDATE "order" SET total_minor = 3999'], id="I4: a total of other parts"),
        pytest.param("I4", ['UPDATE "order" SET items_count = 3'], id="I4: a piece that no line has"),
        pytest.param(
            "I5",
            [
                "DELETE FROM order_line",
                "DELETE FROM stock_movement WHERE kind = 'allocated'",
                "UPDATE stock_level SET allocated = 0",
                'UPDATE "order" SET subtotal_minor = 0, total_minor = 0, items_count = 0',
            ],
            id="I5: an order of nothing",
        ),
        pytest.param("I6", ["DELETE FROM order_event"], id="I6: never placed"),
        pytest.param(
            "I6",
            [PLACE_AGAIN],
            id="I6: placed twice",
        ),
        pytest.param(
            "I10",
            ["UPDATE stock_movement SET reference = NULL WHERE kind = 'allocated'"],
            id="I10: an order that holds nothing",
        ),
        pytest.param(
            "I10",
            ["UPDATE \"order\" SET status = 'canceled'"],
            id="I10: a canceled order that still holds stock",
        ),
        pytest.param(
            "I10",
            ["UPDATE stock_movement SET reference = 'order:11' WHERE kind = 'allocated'"],
            id="I10: stock under the name of another order",
        ),
        pytest.param("I11", [HALF_DONE.format(key="one")], id="I11: a request without an answer"),
    ],
)
def test_a_broken_invariant_is_found_and_no_other_is_blamed(
    broken: Database, invariant: str, statements: list[str]
) -> None:
    break_with(broken, *statements)

    with broken.read() as session:
        violations = check_invariants(session)

    assert [(violation.invariant, violation.rule, violation.ids) for violation in violations] == [
        (invariant, RULES[invariant], (1,))
    ]


def test_doctor_names_what_is_wrong_and_says_so_with_its_exit_code(shop: Shell, broken: Database) -> None:
    break_with(broken, "UPDATE stock_level SET on_hand = 6", "DELETE FROM order_event")

    result = shop.run("doctor")

    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout == (
        "I3: not true that each level is the sum of its ledger: stock_level 1\n"
        "I6: not true that an order was placed exactly once: order 1\n"
    )


def test_doctor_tells_programs_too(shop: Shell, broken: Database) -> None:
    break_with(broken, HALF_DONE.format(key="one"), HALF_DONE.format(key="two"))

    result = shop.run("doctor", "--json")

    assert (result.returncode, result.stderr) == (1, "")
    assert json.loads(result.stdout) == [
        {
            "invariant": "I11",
            "rule": "no request is left half done",
            "table": "idempotency_key",
            "ids": [1, 2],
        }
    ]


def test_at_most_ten_rows_are_named(broken: Database) -> None:
    break_with(broken, *(HALF_DONE.format(key=number) for number in range(11)))

    with broken.read() as session:
        [violation] = check_invariants(session)

    assert len(violation.ids) == 10


def break_with(database: Database, *statements: str) -> None:
    """Run statements that no CHECK stops."""
    is_sqlite = database.engine.dialect.name == "sqlite"
    with database.engine.connect() as connection:
        if is_sqlite:
            connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        else:
            for table, constraints in CHECKS.items():
                for constraint in constraints:
                    connection.exec_driver_sql(f'ALTER TABLE "{table}" DROP CONSTRAINT {constraint}')
        for statement in statements:
            connection.execute(text(statement))
        connection.commit()
        if is_sqlite:
            connection.exec_driver_sql("PRAGMA ignore_check_constraints = OFF")
