"""Sixteen people do the same thing at the same moment: it happens once, and everybody is told what became of it."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import func, select

from flaskart.inventory.models import MovementKind, StockMovement
from flaskart.kit.db import Database
from flaskart.orders.models import EventKind, OrderEvent
from tests.callers import Answer, Caller, Make
from tests.races.conftest import MakeWithout
from tests.races.crowd import at_once, is_postgresql, until_broken

PEOPLE = 16


def all_at_once(caller: Caller, method: str, path: str, json: object = None, **headers: str) -> Sequence[Answer]:
    return at_once([lambda: caller.call(method, path, json, **headers)] * PEOPLE)


def told(answers: Sequence[Answer]) -> Counter[tuple[int, str | None]]:
    """Return how many got which status and code of an error."""
    return Counter((answer.status, answer.json.get("code")) for answer in answers)


def order_of(buyer: Caller, product_id: int, quantity: int) -> int:
    buyer.post("/cart", {"product_id": product_id, "quantity": quantity})
    return int(buyer.post("/orders").json["order_id"])


def slugged(slug: str) -> dict[str, object]:
    return {"name": "Mug", "price": Decimal("19.99"), "slug": slug}


def cancellations(db: Database, order_id: int) -> int:
    canceled = select(func.count()).where(OrderEvent.order_id == order_id, OrderEvent.kind == EventKind.CANCELED)
    with db.read() as session:
        return session.scalars(canceled).one()


def corrections(db: Database) -> int:
    with db.read() as session:
        return session.scalars(select(func.count()).where(StockMovement.kind == MovementKind.ADJUSTED)).one()


def rounds(is_soak: bool) -> range:
    return range(25 if is_soak else 2)


def test_an_order_is_canceled_once(make_over_http: Make, db: Database, is_soak: bool) -> None:
    alice, mug = make_over_http.customer(), make_over_http.product(stock=100)
    order_of(alice, mug, quantity=60)  # stays, so that there would be stock to give back a second time

    for _ in rounds(is_soak):
        order_id = order_of(alice, mug, quantity=3)
        answers = all_at_once(alice, "POST", f"/orders/{order_id}/cancel")

        assert told(answers) == {(200, None): PEOPLE}
        assert len({answer.body for answer in answers}) == 1
        assert make_over_http.stock_of(mug) == 40
        assert cancellations(db, order_id) == 1


def test_stock_is_corrected_once(make_over_http: Make, db: Database, is_soak: bool) -> None:
    boss, mug = make_over_http.staff(), make_over_http.product(stock=100)

    for number in rounds(is_soak):
        answers = all_at_once(boss, "PATCH", f"/products/{mug}", {"stock": 50 + number})

        assert told(answers) == {(200, None): PEOPLE}
        assert make_over_http.stock_of(mug) == 50 + number
        assert corrections(db) == number + 1


def test_of_edits_of_one_version_one_is_done(make_over_http: Make, is_soak: bool) -> None:
    boss, mug = make_over_http.staff(), make_over_http.product()

    for number in rounds(is_soak):
        etag = boss.get(f"/products/{mug}").headers["ETag"]
        answers = all_at_once(boss, "PATCH", f"/products/{mug}", {"name": f"Mug {number}"}, If_Match=etag)

        assert told(answers) == {(200, None): 1, (412, "precondition_failed"): PEOPLE - 1}


def test_a_product_is_removed_once(make_over_http: Make, is_soak: bool) -> None:
    boss, alice = make_over_http.staff(), make_over_http.customer()

    for number in rounds(is_soak):
        new, ordered = make_over_http.product(f"Bowl {number}"), make_over_http.product(f"Mug {number}")
        order_of(alice, ordered, quantity=1)
        for product_id in (new, ordered):
            answers = all_at_once(boss, "DELETE", f"/products/{product_id}")

            assert told(answers) == {(200, None): 1, (404, "product_not_found"): PEOPLE - 1}


def test_a_slug_is_given_once(make_over_http: Make, is_soak: bool) -> None:
    boss = make_over_http.staff()

    for number in rounds(is_soak):
        chosen = all_at_once(boss, "POST", "/products", slugged(f"mug-{number}"))
        made_up = all_at_once(boss, "POST", "/products", slugged(f"mug-{number}") | {"slug": None})

        assert told(chosen) == {(201, None): 1, (409, "slug_taken"): PEOPLE - 1}
        assert told(made_up) == {(201, None): PEOPLE}
        assert len({answer.json["product"]["slug"] for answer in made_up}) == PEOPLE


def test_without_locks_and_constraints_things_happen_more_than_once_on_postgresql(make_without: MakeWithout) -> None:
    make = make_without("row_locks", constraint=("product", "uq_product_slug"))
    boss, alice, mug = make.staff(), make.customer(), make.product(stock=100)
    order_of(alice, mug, quantity=60)

    def is_canceled_twice(_number: int) -> bool:
        order_id = order_of(alice, mug, quantity=1)
        all_at_once(alice, "POST", f"/orders/{order_id}/cancel")
        return cancellations(make.db, order_id) > 1

    def is_corrected_twice(number: int) -> bool:
        before = corrections(make.db)
        all_at_once(boss, "PATCH", f"/products/{mug}", {"stock": 30 + number})
        return corrections(make.db) - before > 1

    def is_edited_twice(number: int) -> bool:
        etag = boss.get(f"/products/{mug}").headers["ETag"]
        edit = {"name": f"Mug {number}"}
        return told(all_at_once(boss, "PATCH", f"/products/{mug}", edit, If_Match=etag))[200, None] > 1

    def is_removed_twice(number: int) -> bool:
        bowl = make.product(f"Bowl {number}")
        return told(all_at_once(boss, "DELETE", f"/products/{bowl}"))[200, None] > 1

    def is_given_twice(number: int) -> bool:
        return told(all_at_once(boss, "POST", "/products", slugged(f"mug-{number}")))[201, None] > 1

    for breaks in (is_canceled_twice, is_corrected_twice, is_edited_twice, is_removed_twice, is_given_twice):
        assert until_broken(make.db, breaks) == is_postgresql(make.db), breaks.__name__
