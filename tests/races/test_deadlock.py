"""Orders of many lines in any order, cancels and corrections of stock, all at once: nobody ever waits in a circle."""

import random
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import text

from flaskart.kit.db import Database
from tests.callers import Caller, Make
from tests.conftest import TOKENS, database_at
from tests.races.crowd import is_postgresql
from tests.servers import serving

LINES = 5


def shop_around(buyer: Caller, products: Sequence[int], seed: int, deadline: float) -> Counter[int]:
    """Order some products in random order again and again, and take every third order back."""
    choice, answers = random.Random(seed), Counter[int]()
    while time.monotonic() < deadline:
        added = [buyer.post("/cart", {"product_id": id_}) for id_ in choice.sample(products, LINES)]
        placed = buyer.post("/orders")
        answers.update(answer.status for answer in (*added, placed))
        if placed.status == 201 and choice.random() < 1 / 3:
            answers.update([buyer.post(f"/orders/{placed.json['order_id']}/cancel").status])
    return answers


def correct_stock(boss: Caller, products: Sequence[int], seed: int, deadline: float) -> Counter[int]:
    choice, answers = random.Random(seed), Counter[int]()
    while time.monotonic() < deadline:
        stock = choice.randint(100_000, 200_000)
        answers.update([boss.patch(f"/products/{choice.choice(products)}", {"stock": stock}).status])
    return answers


def trade(db: Database, folder: Path, *, app: str, buyers: int, staff: int, goods: int, seconds: float) -> Counter[int]:
    """Let everybody loose on a server with a thread for each of them; return how often they got which status."""
    people = buyers + staff
    url, threads = db.url.render_as_string(hide_password=False), str(people // 2)
    with serving(url, folder, app=app, GRANIAN_BLOCKING_THREADS=threads) as server:
        make = Make(db, TOKENS, server.send)
        products = [make.product(f"Thing {number}", stock=100_000) for number in range(goods)]
        shoppers = [make.customer(f"buyer{number}") for number in range(buyers)]
        bosses = [make.staff(f"boss{number}") for number in range(staff)]
        deadline = time.monotonic() + seconds
        with ThreadPoolExecutor(people) as pool:
            jobs = [pool.submit(shop_around, buyer, products, seed, deadline) for seed, buyer in enumerate(shoppers)]
            jobs += [pool.submit(correct_stock, boss, products, seed, deadline) for seed, boss in enumerate(bosses)]
            return sum((job.result() for job in jobs), Counter[int]())


def count_deadlocks(db: Database) -> int:
    """Return how many deadlocks PostgreSQL has broken in the database, once nobody else is there to report more."""
    if db.engine.dialect.name == "sqlite":
        return 0
    others = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    db.close()  # its own connections may be several
    for _ in range(500):
        with db.read() as session:
            if not session.scalar(others):
                counted = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
                return int(session.scalar(text(counted)))
        time.sleep(0.01)
    raise AssertionError("somebody stayed")


def test_nobody_waits_in_a_circle(db: Database, tmp_path: Path, is_soak: bool) -> None:
    seconds = 60 if is_soak else 3

    answers = trade(db, tmp_path, app="flaskart.app:wsgi", buyers=28, staff=4, goods=24, seconds=seconds)

    assert answers.keys() == {200, 201}
    assert count_deadlocks(db) == 0


def test_stock_taken_in_any_order_deadlocks_on_postgresql(database_url: str, tmp_path: Path) -> None:
    db = database_at(database_url)

    trade(db, tmp_path, app="tests.races.unguarded:lock_order", buyers=6, staff=2, goods=8, seconds=2)

    deadlocks = count_deadlocks(db)
    db.close()
    assert (deadlocks > 0) == is_postgresql(db)
