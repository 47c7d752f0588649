"""`flaskart doctor`: what is wrong with a shop's data, and that it is told."""

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from flaskart.accounts.actions import register
from flaskart.cart.actions import add_item
from flaskart.checkout.actions import place_order
from flaskart.invariants import check_invariants
from flaskart.kit import clock
from flaskart.kit.actor import OF_EVERYONE, Actor
from flaskart.kit.audit import SYSTEM
from flaskart.kit.db import Database, Session
from flaskart.listings.actions import add_listing
from flaskart.web.idempotency import IdempotencyKey
from flaskart.web.json import encode
from tests.cli.shells import Shell

RULES = {
    "stock_level counters": ("I1", "stock_level", "no counter is negative and nothing is oversold"),
    "line counters": ("I1", "order_line", "no counter of a line is negative or above its quantity"),
    "movement": ("I2", "stock_movement", "a movement changes what its kind may change, and a promise has a name"),
    "ledger": ("I3", "stock_level", "each level is the sum of its ledger"),
    "total": ("I4", "order", "the total of an order is the sum of its lines"),
    "line total": ("I4", "order_line", "the total of a line is its price times its quantity"),
    "lines": ("I5", "order", "an order has at least one line"),
    "history": ("I6", "order", "an order was placed once, and canceled once if at all"),
    "result": ("I6", "idempotency_key", "the order that was answered under a key is there"),
    "promise": ("I10", "order", "an order holds the stock of its lines, a canceled one holds none"),
    "request": ("I11", "idempotency_key", "no request is left half done"),
    "dead job": ("I11", "job", "no job was given up"),
    "overdue job": ("I11", "job", "no job that is due has waited for over an hour"),
    "identity": ("I12", "order", "an order has a number and a completed cart, both its own"),
    "cart": ("I12", "cart", "a completed cart became an order"),
    "staff": ("I13", "customer", "an account is staff if it was granted a role, and only then"),
}
CONSTRAINTS = {
    "stock_level": ("ck_stock_level_never_oversold", "ck_stock_level_on_hand"),
    "order": ("ck_order_total", "uq_order_number", "uq_order_cart_id"),
    "order_line": ("ck_order_line_counters", "ck_order_line_total"),
}
# A table made from a SELECT has the rows and no constraint.
WITHOUT_CONSTRAINTS = (
    'CREATE TABLE loose AS SELECT * FROM "order"',
    'DROP TABLE "order"',
    'ALTER TABLE loose RENAME TO "order"',
)
HALF_DONE = (
    "INSERT INTO idempotency_key (caller, key, fingerprint, created_at)"
    " VALUES ('customer:1', '{key}', 'x', '2026-03-01 12:00:00')"
)
TELL = (
    "INSERT INTO order_event (order_id, kind, customer_id, created_at)"
    " SELECT order_id, '{kind}', customer_id, created_at FROM order_event"
)
GRANT = "INSERT INTO role_grant (customer_id, role_id, granted_at) VALUES (1, 1, '2026-03-01 12:00:00')"
MOVE = (
    "INSERT INTO stock_movement"
    " (stock_level_id, kind, on_hand_delta, allocated_delta, held_delta, reference, created_at)"
    " VALUES (1, '{kind}', {on_hand}, {allocated}, 0, {reference}, '2026-03-01 12:00:00')"
)
LONG_AGO, IN_A_CENTURY = "'2026-03-01 12:00:00'", "'2126-03-01 12:00:00'"
QUEUE = (
    "INSERT INTO job (name, payload, priority, attempts, run_at, leased_until, parked_at, created_at)"
    " VALUES ('a job', '{{}}', 2, 1, {run_at}, {leased_until}, {parked_at}, '2026-03-01 12:00:00')"
)
COMPLETED_CART = (
    "INSERT INTO cart (customer_id, currency, version, created_at, updated_at, completed_at)"
    " SELECT customer_id, currency, version, created_at, updated_at, completed_at FROM cart"
)


@pytest.fixture
def broken(database_url: str) -> Iterator[Database]:
    """A shop with one order of two pieces out of five, whose data the test is free to break."""
    database = Database(database_url)
    with database.write() as session:
        add_listing(session, SYSTEM, name="Mug", price_minor=1_999, currency="USD", stock=5)
        register(session, username="alice", email="alice@example.com", password_hash="none")
        order_two_mugs(session)
    yield database
    database.close()


def order_two_mugs(session: Session) -> None:
    alice = Actor(1, OF_EVERYONE, "a sign-in")
    add_item(session, alice, quantity=2, currency="USD", product_id=1)
    place_order(session, alice)


def test_a_sound_shop_is_well(shop: Shell, broken: Database) -> None:
    assert shop.done("doctor") == "All is well.\n"
    assert shop.done("doctor", "--json") == "[]\n"


@pytest.mark.parametrize(
    ("rule", "ids", "statements"),
    [
        pytest.param(
            "stock_level counters",
            (1,),
            [
                "UPDATE stock_level SET on_hand = 1",
                "UPDATE stock_movement SET on_hand_delta = 1 WHERE kind = 'received'",
            ],
            id="I1: more promised than there is",
        ),
        pytest.param(
            "stock_level counters",
            (1,),
            [
                "UPDATE stock_level SET on_hand = -1, backorder_limit = NULL",
                "UPDATE stock_movement SET on_hand_delta = -1, kind = 'adjusted' WHERE kind = 'received'",
            ],
            id="I1: less than nothing on hand",
        ),
        pytest.param(
            "stock_level counters",
            (1,),
            [
                "UPDATE stock_level SET held = -1",
                "UPDATE stock_movement SET held_delta = -1 WHERE kind = 'received'",
            ],
            id="I1: less than nothing held",
        ),
        pytest.param("staff", (1,), ["UPDATE customer SET role = 'staff'"], id="I13: staff without a role"),
        pytest.param("staff", (1,), [GRANT], id="I13: a customer with a role"),
        pytest.param(
            "line counters", (1,), ["UPDATE order_line SET delivered = 3"], id="I1: more delivered than ordered"
        ),
        pytest.param(
            "line counters", (1,), ["UPDATE order_line SET returned = -1"], id="I1: less than nothing returned"
        ),
        pytest.param(
            "movement",
            (2,),
            [
                "UPDATE stock_movement SET on_hand_delta = 1 WHERE kind = 'allocated'",
                "UPDATE stock_level SET on_hand = 6",
            ],
            id="I2: a promise that brings goods",
        ),
        pytest.param(
            "movement",
            (3,),
            [
                MOVE.format(kind="received", on_hand=-1, allocated=0, reference="NULL"),
                "UPDATE stock_level SET on_hand = 4",
            ],
            id="I2: goods that go by being received",
        ),
        pytest.param(
            "movement",
            (3, 4),
            [
                MOVE.format(kind="allocated", on_hand=0, allocated=1, reference="NULL"),
                MOVE.format(kind="released", on_hand=0, allocated=-1, reference="NULL"),
            ],
            id="I2: a promise to nobody",
        ),
        pytest.param("ledger", (1,), ["UPDATE stock_level SET on_hand = 6"], id="I3: a piece nobody received"),
        pytest.param("ledger", (1,), ["UPDATE stock_level SET allocated = 3"], id="I3: a piece nobody promised"),
        pytest.param("ledger", (1,), ["UPDATE stock_level SET held = 1"], id="I3: a piece nobody held"),
        pytest.param(
            "ledger", (1,), ["DELETE FROM stock_movement WHERE kind = 'received'"], id="I3: a hole in the ledger"
        ),
        pytest.param(
            "total",
            (1,),
            ['UPDATE "order" SET subtotal_minor = 3999, total_minor = 3999'],
            id="I4: a subtotal of other lines",
        ),
        pytest.param("total", (1,), ['UPDATE "order" SET total_minor = 3999'], id="I4: a total of other parts"),
        pytest.param("total", (1,), ['UPDATE "order" SET items_count = 3'], id="I4: a piece that no line has"),
        pytest.param(
            "line total", (1,), ["UPDATE order_line SET unit_price_minor = 1998"], id="I4: a line at another price"
        ),
        pytest.param(
            "lines",
            (1,),
            [
                "DELETE FROM order_line",
                "DELETE FROM stock_movement WHERE kind = 'allocated'",
                "UPDATE stock_level SET allocated = 0",
                'UPDATE "order" SET subtotal_minor = 0, total_minor = 0, items_count = 0',
            ],
            id="I5: an order of nothing",
        ),
        pytest.param("history", (1,), ["DELETE FROM order_event"], id="I6: never placed"),
        pytest.param("history", (1,), [TELL.format(kind="placed")], id="I6: placed twice"),
        pytest.param("history", (1,), [TELL.format(kind="canceled")], id="I6: canceled, but still placed"),
        pytest.param(
            "promise",
            (1,),
            [
                "DELETE FROM stock_movement WHERE kind = 'allocated'",
                "UPDATE stock_level SET allocated = 0",
            ],
            id="I10: an order that holds nothing",
        ),
        pytest.param(
            "promise",
            (1,),
            ["UPDATE \"order\" SET status = 'canceled'", TELL.format(kind="canceled")],
            id="I10: a canceled order that still holds stock",
        ),
        pytest.param(
            "promise",
            (1, 11),
            ["UPDATE stock_movement SET reference = 'order:11' WHERE kind = 'allocated'"],
            id="I10: stock under the name of another order",
        ),
        pytest.param("request", (1,), [HALF_DONE.format(key="one")], id="I11: a request without an answer"),
        pytest.param(
            "dead job",
            (3,),
            [QUEUE.format(run_at=LONG_AGO, leased_until="NULL", parked_at=LONG_AGO)],
            id="I11: a job that was given up",
        ),
        pytest.param(
            "overdue job",
            (3, 4),
            [
                QUEUE.format(run_at=LONG_AGO, leased_until="NULL", parked_at="NULL"),
                QUEUE.format(run_at=LONG_AGO, leased_until=LONG_AGO, parked_at="NULL"),
                QUEUE.format(run_at=LONG_AGO, leased_until=IN_A_CENTURY, parked_at="NULL"),
                QUEUE.format(run_at=IN_A_CENTURY, leased_until="NULL", parked_at="NULL"),
            ],
            id="I11: jobs that nobody does",
        ),
        pytest.param("identity", (1,), ['UPDATE "order" SET number = NULL'], id="I12: an order without a number"),
        pytest.param("identity", (1,), ["UPDATE cart SET completed_at = NULL"], id="I12: an order of an open cart"),
        pytest.param("cart", (2,), [COMPLETED_CART], id="I12: an order that is lost"),
    ],
)
def test_a_broken_invariant_is_found_and_no_other_is_blamed(
    broken: Database, rule: str, ids: tuple[int, ...], statements: list[str]
) -> None:
    break_with(broken, *statements)

    assert found_in(broken) == {rule: ids}


def test_stock_of_another_variant_is_not_the_orders(broken: Database) -> None:
    with broken.write() as session:
        add_listing(session, SYSTEM, name="Bowl", price_minor=1_999, currency="USD", stock=5)
    break_with(
        broken,
        "UPDATE stock_movement SET stock_level_id = 2 WHERE kind = 'allocated'",
        "UPDATE stock_level SET allocated = 2 - allocated",
    )

    assert found_in(broken) == {"promise": (1,)}


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE \"order\" SET number = '1001'", {"identity": (1, 2)}),
        ('UPDATE "order" SET cart_id = 1', {"identity": (1, 2), "cart": (2,)}),
    ],
)
def test_two_orders_that_are_one_are_found(broken: Database, statement: str, found: dict[str, tuple[int, ...]]) -> None:
    with broken.write() as session:
        order_two_mugs(session)
    break_with(broken, statement)

    assert found_in(broken) == found


def test_an_order_that_was_answered_and_is_not_there_is_found(broken: Database) -> None:
    kept = [
        ("customer:1", {"msg": "Order placed successfully", "order_id": 1, "order": {"id": 1}}),
        ("customer:1", {"msg": "Order placed successfully", "order_id": 2, "order": {"id": 2}}),
        ("customer:2", {"msg": "Order placed successfully", "order_id": 1, "order": {"id": 1}}),
        ("key:1", {"msg": "Order placed successfully", "order_id": 1, "order": {"id": 1}}),
        ("customer:1", {"msg": "Product added to cart", "product_id": 1}),
    ]
    answered = {"key": "one", "fingerprint": b"x", "status": 201, "created_at": clock.now()}
    with broken.write() as session:
        for number, (caller, body) in enumerate(kept):
            session.add(IdempotencyKey(**answered | {"key": str(number), "caller": caller, "body": encode(body)}))

    assert found_in(broken) == {"result": (2, 3, 4)}


def test_doctor_names_what_is_wrong_and_says_so_with_its_exit_code(shop: Shell, broken: Database) -> None:
    break_with(broken, "UPDATE stock_level SET on_hand = 6", "DELETE FROM order_event")

    result = shop.run("doctor")

    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout == (
        "I3: not true that each level is the sum of its ledger: stock_level 1\n"
        "I6: not true that an order was placed once, and canceled once if at all: order 1\n"
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


def found_in(database: Database) -> dict[str, tuple[int, ...]]:
    """Return the ids of the rows that break a rule, by the rule's key in `RULES`."""
    keys = {rule: key for key, rule in RULES.items()}
    with database.read() as session:
        violations = check_invariants(session)
    return {keys[found.invariant, found.table, found.rule]: found.ids for found in violations}


def break_with(database: Database, *statements: str) -> None:
    """Run statements that no constraint stops."""
    with database.engine.connect() as connection:
        if database.engine.dialect.name == "sqlite":
            connection.exec_driver_sql("COMMIT")  # inside a transaction the next one does nothing
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
            loosen = list(WITHOUT_CONSTRAINTS)
        else:
            loosen = [
                f'ALTER TABLE "{table}" DROP CONSTRAINT {name}'
                for table, names in CONSTRAINTS.items()
                for name in names
            ]
        for statement in (*loosen, *statements):
            connection.execute(text(statement))
        connection.commit()
    database.close()  # the next connection is a strict one again
