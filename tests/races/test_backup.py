"""P17: a backup taken while customers place orders is a sound shop of one moment."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select, text

from flaskart.invariants import check_invariants
from flaskart.orders.models import Order
from tests.callers import Caller, Make
from tests.cli.shells import Shell
from tests.conftest import shop_at
from tests.databases import empty_database, engine_of
from tests.servers import environment

BUYERS = 8
PRODUCTS = 20
# Enough for SQLite to need several steps and pg_dump a moment.
DESCRIPTION_BYTES = 1_000_000


@dataclass
class Told:
    """What customers were told: orders that are acknowledged, and answers that should not be."""

    orders: list[int] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)


def shop_around(buyer: Caller, number: int, told: Told, stop: threading.Event) -> None:
    """Order two products again and again, and cancel every fifth order."""
    for turn in range(100_000):
        if stop.is_set():
            return
        for step in (1, 2):
            product_id = 1 + (number + turn + 7 * step) % PRODUCTS
            see(buyer.post("/cart", {"product_id": product_id, "quantity": step}).status, {200, 503}, told)
        placed = buyer.post("/orders", Idempotency_Key=f"turn {turn}")
        see(placed.status, {201, 400, 503}, told)
        if placed.status == 201:
            order_id = placed.json["order_id"]
            told.orders.append(order_id)
            if turn % 5 == 0:
                see(buyer.post(f"/orders/{order_id}/cancel").status, {200, 503}, told)


def see(status: int, expected: set[int], told: Told) -> None:
    """Note an answer that is none of these. A busy shop may say 503, and then the cart may be empty: 400."""
    if status not in expected:
        told.unexpected.append(f"{status}, not {expected}")


@contextmanager
def crowd(make: Make) -> Iterator[Told]:
    """Let customers shop until the block ends."""
    buyers, told, stop = [make.customer(f"buyer{number}") for number in range(BUYERS)], Told(), threading.Event()
    with ThreadPoolExecutor(BUYERS) as pool:
        jobs = [pool.submit(shop_around, buyer, number, told, stop) for number, buyer in enumerate(buyers)]
        try:
            yield told
        finally:
            stop.set()
        for job in jobs:
            job.result()


def wait_for_orders(told: Told, count: int) -> set[int]:
    """Wait until so many more orders are acknowledged; return all that are by then."""
    wanted = len(told.orders) + count
    for _ in range(6_000):
        if len(told.orders) >= wanted:
            return set(told.orders)
        threading.Event().wait(0.01)
    raise AssertionError(f"customers got stuck: {told}")


def test_a_backup_under_load_restores_to_a_sound_shop(
    make_over_http: Make, database_url: str, tmp_path: Path, is_soak: bool
) -> None:
    make, shop = make_over_http, Shell(tmp_path, environment(database_url))
    for number in range(PRODUCTS):
        make.product(f"Mug {number}", stock=1_000_000)
    with make.db.write() as session:
        session.execute(text("UPDATE product SET description = :long"), {"long": "x" * DESCRIPTION_BYTES})

    before, after = list[set[int]](), list[set[int]]()
    with crowd(make) as told:
        for number in range(20 if is_soak else 2):
            before.append(wait_for_orders(told, 20))
            shop.done("backup", f"{number}.bak")
            after.append(set(told.orders))

    assert told.unexpected == []
    for number, (earlier, later) in enumerate(zip(before, after, strict=True)):
        assert earlier < later, "nobody ordered while the backup was taken"
        with empty_database(engine_of(database_url), tmp_path) as url:
            shop.done("restore", f"{number}.bak", FLASKART_DATABASE_URL=url)
            with shop_at(url) as copy, copy.db.read() as session:
                assert earlier <= set(session.scalars(select(Order.id)))
                assert check_invariants(session) == []
        (tmp_path / "empty.db").unlink(missing_ok=True)
