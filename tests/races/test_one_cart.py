"""One cart, changed from many connections of its customer at once: no change is lost."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.callers import Answer, Caller, Make
from tests.races.conftest import MakeWithout
from tests.races.crowd import Call, at_once, is_postgresql, quantities, until_broken

ADDITIONS = 8


@dataclass(frozen=True)
class Shelf:
    """Products by what happens to them: `mug` is added again and again, the others change once each."""

    mug: int
    new: Sequence[int]
    changed: Sequence[int]
    removed: Sequence[int]

    @property
    def expected(self) -> Mapping[int, int]:
        """What the cart holds of each in the end."""
        return {self.mug: 1 + ADDITIONS} | dict.fromkeys(self.new, 2) | dict.fromkeys(self.changed, 7)


def shelf_of(make: Make) -> Shelf:
    mug, *others = [make.product(f"Thing {number}", stock=1_000) for number in range(13)]
    return Shelf(mug, others[:4], others[4:8], others[8:])


def adding(buyer: Caller, product_id: int, quantity: int = 1) -> Call:
    return lambda: buyer.post("/cart", {"product_id": product_id, "quantity": quantity})


def changing(buyer: Caller, product_id: int) -> Call:
    return lambda: buyer.patch(f"/cart/{product_id}", {"quantity": 7})


def removing(buyer: Caller, product_id: int) -> Call:
    return lambda: buyer.delete(f"/cart/{product_id}")


def change_at_once(buyer: Caller, shelf: Shelf) -> list[Answer]:
    """Fill a cart, then make twenty changes of it; the first answers are those about the mug."""
    buyer.delete("/cart/clear")
    for product_id in (shelf.mug, *shelf.changed, *shelf.removed):
        buyer.post("/cart", {"product_id": product_id})
    return at_once(
        [
            *[adding(buyer, shelf.mug) for _ in range(ADDITIONS)],
            *[adding(buyer, product_id, 2) for product_id in shelf.new],
            *[changing(buyer, product_id) for product_id in shelf.changed],
            *[removing(buyer, product_id) for product_id in shelf.removed],
        ]
    )


def test_no_change_of_a_cart_is_lost(make_over_http: Make, is_soak: bool) -> None:
    alice, shelf = make_over_http.customer(), shelf_of(make_over_http)

    for _ in range(50 if is_soak else 5):
        answers = change_at_once(alice, shelf)

        assert Counter(answer.status for answer in answers) == {200: 20}
        shown = [quantities(answer.json["cart"])[shelf.mug] for answer in answers[:ADDITIONS]]
        assert sorted(shown) == list(range(2, 2 + ADDITIONS))  # each sees itself, on top of those before it
        assert quantities(alice.get("/cart").json["cart"]) == shelf.expected


def test_the_first_additions_meet_in_one_cart(make_over_http: Make, is_soak: bool) -> None:
    mug, *others = [make_over_http.product(f"Thing {number}", stock=1_000) for number in range(11)]

    for number in range(50 if is_soak else 5):
        alice = make_over_http.customer(f"alice{number}")
        answers = at_once([adding(alice, product_id) for product_id in [mug] * 10 + others])

        assert Counter(answer.status for answer in answers) == {200: 20}
        assert quantities(alice.get("/cart").json["cart"]) == {mug: 10} | dict.fromkeys(others, 1)


def test_without_its_lock_a_cart_loses_changes_on_postgresql(make_without: MakeWithout) -> None:
    make = make_without("cart_lock")
    alice, shelf = make.customer(), shelf_of(make)

    def loses_mugs(_number: int) -> bool:
        answers = change_at_once(alice, shelf)
        assert Counter(answer.status for answer in answers) == {200: 20}
        return quantities(alice.get("/cart").json["cart"])[shelf.mug] < 1 + ADDITIONS

    assert until_broken(make.db, loses_mugs) == is_postgresql(make.db)
