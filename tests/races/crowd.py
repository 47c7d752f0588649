"""Many at once: calls that start at the same moment, and what tells the engines apart."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from flaskart.kit.db import Database
from tests.callers import Answer

Call = Callable[[], Answer]


def at_once(calls: Sequence[Call]) -> list[Answer]:
    """Make each call on a connection of its own, all at the same moment; return the answers in the same order."""
    start = Barrier(len(calls))

    def run(call: Call) -> Answer:
        start.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def is_postgresql(db: Database) -> bool:
    """Whether a missing guard must show. SQLite lets one writer in at a time, so there unguarded code does no harm."""
    return db.engine.dialect.name == "postgresql"


def quantities(lines: Sequence[Mapping[str, int]]) -> Counter[int]:
    """Return how many of each product the lines of a cart or an order hold."""
    return Counter({line["product_id"]: line["quantity"] for line in lines})


def until_broken(db: Database, breaks: Callable[[int], bool]) -> bool:
    """Run a race without its guard until it breaks its promise, on SQLite a few times; return whether it did."""
    return any(breaks(number) for number in range(20 if is_postgresql(db) else 3))
