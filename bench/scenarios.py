"""What no single operation shows: many at once, a large catalogue, the start, the memory."""

import statistics
from collections.abc import Sequence
from pathlib import Path

from bench.goals import Goal
from bench.load import Load, send
from bench.measuring import Length, Tell, cpu_of
from bench.operations import Operation, chosen, list_anew, place, product_by_slug, shared
from bench.servers import Engine, Running, environment, serving_app, serving_shop
from bench.shops import Shop, Shopper, open_shop

CROWD = 32
MEGABYTE = 1_000_000


def crowd_on_sqlite(shop: Shop, running: Running, buyers: Sequence[Shopper], length: Length, tell: Tell) -> list[Goal]:
    """Let 32 shoppers place orders at once, and one shopper alone, in turn."""
    what = f"{CROWD} shoppers place orders at once"
    ratios, waits = [], []
    for number in range(1, length.rounds + 1):
        tell(f"Round {number} of {length.rounds}: {what}")
        rates = []
        for shoppers in (1, CROWD):
            shop.fill_carts(buyers, chosen(shop))
            outcome = send(running.url, _placing(buyers, shoppers), length.seconds)
            rates.append(outcome.per_second)
        waits.append(outcome.max_ms / 1_000)
        ratios.append(rates[1] / rates[0])
    return [
        Goal(f"{what}: rate", statistics.median(ratios), 0.7, "x one shopper's", is_floor=True),
        Goal(f"{what}: worst wait", max(waits), 0.5, "s"),
    ]


def hot_item(
    shop: Shop, running: Running, buyers: Sequence[Shopper], folder: Path, length: Length, tell: Tell
) -> list[Goal]:
    """Let 32 shoppers order the same item, from the shop and from R3, in turn."""
    what = f"{CROWD} shoppers order one hot item"
    ratios = []
    factory = "bench.references.lock_first:wsgi"
    with serving_app(factory, environment(shop.url), folder, ready="/readyz") as lock_first:
        for number in range(length.rounds + 1):
            tell(f"Round {number} of {length.rounds}: {what}")
            rates = []
            for server in (lock_first, running):
                shop.fill_carts(buyers, lambda _number: [shop.items[0].variant_id])
                rates.append(send(server.url, _placing(buyers, CROWD), length.seconds).per_second)
            if number:  # the first one warms up
                ratios.append(rates[1] / rates[0])
    return [Goal(f"{what}: rate", statistics.median(ratios), 2, "x R3's", is_floor=True)]


def large_catalogue(shop: Shop, running: Running, engine: Engine, length: Length, tell: Tell) -> list[Goal]:
    """Read pages and products of a shop with many more products, and of this one, in turn."""
    tell(f"Making a shop of {shop.products * length.growth:,} products")
    large = open_shop(engine.new_database("large"), shop.products * length.growth, engine.folder)
    pages = shop.products - 20  # as many of either, since what is short costs more by the piece
    pairs = [
        (list_anew(shop, 20, max_pages=pages), list_anew(large, 20, max_pages=pages)),
        (product_by_slug(shop), product_by_slug(large)),
    ]
    goals = []
    with serving_shop(large.url, engine.folder) as running_large:
        for small_one, large_one in pairs:
            ratios = []
            for number in range(length.rounds + 1):
                tell(f"Round {number} of {length.rounds}: {small_one.name}, {length.growth} times the products")
                costs = [
                    _cost(operation, server, length.seconds, engine)
                    for operation, server in ((small_one, running), (large_one, running_large))
                ]
                if number:  # the first one warms up
                    ratios.append(costs[1] / costs[0])
            what = f"{shop.products:,} -> {large.products:,} products: {small_one.name}"
            goals.append(Goal(what, statistics.median(ratios), 1.3, "x the CPU"))
    large.close()
    return goals


def cold_start(shop: Shop, folder: Path, length: Length, tell: Tell) -> Goal:
    """Start the server again and again."""
    seconds = []
    for number in range(1, length.starts + 1):
        tell(f"Cold start {number} of {length.starts}")
        with serving_shop(shop.url, folder, workers=1) as running:
            seconds.append(running.ready_seconds)
    return Goal("cold start", statistics.median(seconds), 1, "s")


def memory(running: Running) -> Goal:
    return Goal("memory of one worker after all this", running.family.worker_bytes() / MEGABYTE, 90, "MB")


def _placing(buyers: Sequence[Shopper], shoppers: int) -> Load:
    return Load(shared([place(buyer) for buyer in buyers], shoppers), is_repeated=False)


def _cost(operation: Operation, running: Running, seconds: float, engine: Engine) -> float:
    operation.prepare()
    return cpu_of(running, operation.load, seconds, engine)[1].total_ms
