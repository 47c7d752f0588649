"""Buyers who insist on an answer, and keep every order they were told of."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

from urllib3.exceptions import HTTPError

from flaskart.web.tokens import AccessTokens
from tests.callers import Answer, Caller, Make
from tests.servers import SECRET

# Longer than the longest test at full length.
TOKENS = AccessTokens.with_secret(SECRET.encode(), seconds=7_200)
BUYERS = 8
PRODUCTS = 5
OPENING = 100_000
PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.05


@dataclass(frozen=True)
class Receipt:
    """What a buyer was told of an order: under which key, in which words, and at what time of the test's clock."""

    buyer: Caller
    key: str
    body: bytes
    order: Any
    told_at: int


class Receipts:
    """All that the buyers were told; `clock` is the test's, and only grows."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self.is_closing = threading.Event()  # nobody begins another order
        self.is_over = threading.Event()  # nobody waits for an answer any more
        self.outcomes = Counter[int | str]()
        self._clock = clock
        self._kept: list[Receipt] = []
        self._news = threading.Condition()

    def keep(self, buyer: Caller, key: str, answer: Answer) -> None:
        receipt = Receipt(buyer, key, answer.body, answer.json["order"], self._clock())
        with self._news:
            self._kept.append(receipt)
            self._news.notify_all()

    def note(self, outcome: int | str) -> None:
        """Count an answer by its status, or that there was none."""
        with self._news:
            self.outcomes[outcome] += 1
            self._news.notify_all()

    def so_far(self) -> list[Receipt]:
        with self._news:
            return list(self._kept)

    def wait_for_orders(self, number: int) -> None:
        self._wait(lambda: len(self._kept) >= number, f"{number} orders")

    def wait_for_more(self, outcome: int | str, number: int) -> None:
        """Wait until there were so many more answers of this status than by now."""
        enough = self.outcomes[outcome] + number
        self._wait(lambda: self.outcomes[outcome] >= enough, f"{number} more of {outcome}")

    def _wait(self, is_there: Callable[[], bool], what: str) -> None:
        with self._news:
            while not is_there():
                assert self._news.wait(PATIENCE_SECONDS), f"no {what}: {self.outcomes}"


@dataclass(frozen=True)
class Crowd:
    """Buyers, and the products they buy: `OPENING` pieces of each."""

    buyers: Sequence[Caller]
    product_ids: Sequence[int]

    @classmethod
    def gathered(cls, make: Make) -> "Crowd":
        buyers = [make.customer(f"buyer{number}") for number in range(BUYERS)]
        return cls(buyers, [make.product(f"Mug {number}", stock=OPENING) for number in range(PRODUCTS)])

    @contextmanager
    def shopping(self, clock: Callable[[], int] = lambda: 0) -> Iterator[Receipts]:
        """Have orders placed while the block runs; afterwards each that was begun is seen through."""
        receipts = Receipts(clock)
        with ThreadPoolExecutor(len(self.buyers)) as pool:
            jobs = [pool.submit(_buy, buyer, self.product_ids, receipts) for buyer in self.buyers]
            try:
                yield receipts
            except BaseException:
                receipts.is_over.set()
                raise
            finally:
                receipts.is_closing.set()
        for job in jobs:
            job.result()


def _buy(buyer: Caller, product_ids: Sequence[int], receipts: Receipts) -> None:
    """Place orders of one to three products, one after the other."""
    choice = random.Random(buyer.customer_id)
    for number in count():
        if receipts.is_closing.is_set():
            return
        for product_id in choice.sample(product_ids, choice.randint(1, 3)):
            wanted = {"product_id": product_id, "quantity": choice.randint(1, 3)}
            _insist(buyer, "/cart", wanted, f"cart-{number}-{product_id}", receipts)
        placed = _insist(buyer, "/orders", {}, f"order-{number}", receipts)
        if placed is not None:
            receipts.keep(buyer, f"order-{number}", placed)


def _insist(buyer: Caller, path: str, json: object, key: str, receipts: Receipts) -> Answer | None:
    """Send a request under its key, again and again until it is answered for good, or all is over."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not receipts.is_over.is_set():
        assert time.monotonic() < deadline, f"{path} was never answered: {receipts.outcomes}"
        try:
            answer = buyer.post(path, json, Idempotency_Key=key)
        except HTTPError:
            receipts.note("no answer")
        else:
            receipts.note(answer.status)
            if answer.status in (200, 201):
                return answer
            _see_that_it_may_be_sent_again(answer)
        receipts.is_over.wait(PAUSE_SECONDS)
    return None


def _see_that_it_may_be_sent_again(answer: Answer) -> None:
    if answer.status == 503:
        assert answer.headers["Retry-After"] == "1"
    else:
        assert (answer.status, answer.json["code"]) == (409, "request_in_flight"), answer.body
