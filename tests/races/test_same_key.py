"""Sixteen equal requests at once under one `Idempotency-Key`: one effect, and everybody gets its answer."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.callers import Answer, Caller, Make
from tests.races.conftest import MakeWithout
from tests.races.crowd import Call, at_once, is_postgresql, until_broken

CLIENTS = 16
MAX_TRIES = 10


@dataclass(frozen=True)
class Outcome:
    """What equal requests under one key did (`effect`), and what they were told."""

    effect: int
    statuses: Counter[int]
    bodies: int
    replays: int

    @classmethod
    def of(cls, effect: int, answers: Sequence[Answer]) -> "Outcome":
        replays = sum(answer.headers.get("Idempotency-Replayed") == "true" for answer in answers)
        return cls(effect, Counter(answer.status for answer in answers), len({a.body for a in answers}), replays)


ADDED_ONCE = Outcome(effect=1, statuses=Counter({200: CLIENTS}), bodies=1, replays=CLIENTS - 1)
ORDERED_ONCE = Outcome(effect=1, statuses=Counter({201: CLIENTS}), bodies=1, replays=CLIENTS - 1)


def until_done(call: Call) -> Answer:
    """Ask again as long as the first request is being worked on, as the documents tell a client to."""
    for _ in range(MAX_TRIES):
        answer = call()
        if answer.status != 409 or answer.json["code"] != "request_in_flight":
            return answer
    raise AssertionError("the first request was never done")


def send_many(buyer: Caller, path: str, bodies: Sequence[object], key: str) -> list[Answer]:
    def call_with(body: object) -> Call:
        return lambda: until_done(lambda: buyer.post(path, body, Idempotency_Key=key))

    return at_once([call_with(body) for body in bodies])


def add_many_times(buyer: Caller, product_id: int, key: str) -> Outcome:
    buyer.delete("/cart/clear")
    answers = send_many(buyer, "/cart", [{"product_id": product_id}] * CLIENTS, key)
    return Outcome.of(buyer.get("/cart").json["items_count"], answers)


def order_many_times(buyer: Caller, key: str) -> Outcome:
    before = len(buyer.get("/orders?limit=100").json["orders"])
    answers = send_many(buyer, "/orders", [None] * CLIENTS, key)
    return Outcome.of(len(buyer.get("/orders?limit=100").json["orders"]) - before, answers)


def test_equal_requests_under_one_key_have_one_effect_and_one_answer(make_over_http: Make, is_soak: bool) -> None:
    alice, mug = make_over_http.customer(), make_over_http.product(stock=1_000)

    for number in range(25 if is_soak else 5):
        assert add_many_times(alice, mug, f"add {number}") == ADDED_ONCE
        assert order_many_times(alice, f"order {number}") == ORDERED_ONCE


def test_of_two_requests_under_one_key_one_is_done_and_the_other_refused(make_over_http: Make, is_soak: bool) -> None:
    alice, mug = make_over_http.customer(), make_over_http.product(stock=1_000)

    for number in range(25 if is_soak else 5):
        alice.delete("/cart/clear")
        bodies = [{"product_id": mug, "quantity": 1 + turn % 2} for turn in range(CLIENTS)]
        answers = send_many(alice, "/cart", bodies, f"key {number}")

        in_cart = alice.get("/cart").json["items_count"]
        done = [answer for answer, body in zip(answers, bodies, strict=True) if body["quantity"] == in_cart]
        refused = [answer for answer, body in zip(answers, bodies, strict=True) if body["quantity"] != in_cart]
        assert Outcome.of(in_cart, done) == Outcome(in_cart, Counter({200: CLIENTS // 2}), 1, CLIENTS // 2 - 1)
        assert {(answer.status, answer.json["code"]) for answer in refused} == {(422, "idempotency_key_reused")}
        assert len(refused) == CLIENTS // 2


def test_a_key_written_down_at_the_end_lets_repetitions_through_on_postgresql(make_without: MakeWithout) -> None:
    make = make_without("keys")
    alice, mug = make.customer(), make.product(stock=1_000)

    def adds_twice(number: int) -> bool:
        return add_many_times(alice, mug, f"add {number}").effect > 1

    def calls_the_cart_empty(number: int) -> bool:
        alice.post("/cart", {"product_id": mug})
        return order_many_times(alice, f"order {number}").statuses[400] > 0

    assert until_broken(make.db, adds_twice) == is_postgresql(make.db)
    assert until_broken(make.db, calls_the_cart_empty) == is_postgresql(make.db)
