"""`make bench`: what each operation of the shop costs, beside what it could cost at least, in interleaved rounds."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bench.goals import Goal
from bench.load import NotMeasured, find_wrk
from bench.machine import machine, revision
from bench.measuring import Bench, Length, Tell, measure_all, minimal_orders, subject
from bench.operations import operations
from bench.report import show, write
from bench.results import Results
from bench.scenarios import cold_start, crowd_on_sqlite, hot_item, large_catalogue, memory
from bench.servers import ROOT, Engine, Running, environment, serving_app, serving_shop, started
from bench.shops import LINES, Shop, Shopper, open_shop

LEAST = LINES + 100  # products: as many as the longest order has lines, and some pages
RESULTS = ROOT / "bench" / "results"
FULL = Length(rounds=5, seconds=1.5, warm_up_seconds=0.5, starts=5, growth=100, buyers=2_500)
QUICK = Length(rounds=1, seconds=0.25, warm_up_seconds=0.05, starts=2, growth=10, buyers=400)


def main() -> int:
    """Measure, print, write; return the exit code."""
    arguments = _arguments()
    length = QUICK if arguments.quick else FULL
    errors = Console(stderr=True)
    try:
        find_wrk()
        with (
            tempfile.TemporaryDirectory(prefix="flaskart-bench-") as folder,
            errors.status("Starting") as status,
            started(arguments.engine, Path(folder)) as engine,
        ):
            try:
                results = run(engine, arguments.products, length, is_quick=arguments.quick, tell=status.update)
            except NotMeasured as failure:
                raise NotMeasured(f"{status.status}: {failure}") from failure
    except NotMeasured as failure:
        errors.print(f"bench: {failure}", style="red", markup=False, soft_wrap=True)
        return 1
    show(results, Console(width=None if sys.stdout.isatty() else 120))
    output = arguments.output or (None if arguments.quick else RESULTS)
    if output is not None:
        write(results, output)
        errors.print(f"Wrote {output / arguments.engine}.json and .svg")
    return 0


def run(engine: Engine, products: int, length: Length, *, is_quick: bool, tell: Tell) -> Results:
    """Measure everything on one database engine."""
    tell(f"Making a shop of {products:,} products")
    shop = open_shop(engine.new_database("bench"), products, engine.folder)
    buyers = shop.sign_in("buyer", length.buyers)
    subjects = [subject(shop, operation) for operation in operations(shop, buyers)]
    sizes = sorted({str(measured.answer_bytes) for measured in subjects})
    settings = {**environment(shop.url), "BENCH_SIZES": ",".join(sizes)}
    with (
        serving_shop(shop.url, engine.folder) as running,
        serving_app("bench.references.bare:wsgi", settings, engine.folder, ready=f"/{sizes[0]}") as bare,
        minimal_orders(shop.url, engine.folder) as minimal,
    ):
        bench = Bench(running, bare, minimal, engine)
        measure_all(bench, subjects, length, tell)
        scenarios = _scenarios(shop, running, buyers, engine, length, tell)
        results = Results(
            engine=engine.name,
            products=products,
            rounds=length.rounds,
            is_quick=is_quick,
            date=datetime.now(UTC).date().isoformat(),
            revision=revision(),
            machine=machine(shop.db),
            subjects=subjects,
            scenarios=scenarios,
            peak_bytes=running.family.peak_bytes(),
        )
    shop.close()
    return results


def _scenarios(
    shop: Shop, running: Running, buyers: Sequence[Shopper], engine: Engine, length: Length, tell: Tell
) -> list[Goal]:
    if engine.name == "sqlite":
        crowd = crowd_on_sqlite(shop, running, buyers, length, tell)
    else:
        crowd = hot_item(shop, running, buyers, engine.folder, length, tell)
    large = large_catalogue(shop, running, engine, length, tell)
    return [*crowd, *large, cold_start(shop, engine.folder, length, tell), memory(running)]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--products", type=_products, default=1_000, help=f"at least {LEAST}; default 1000")
    parser.add_argument("--quick", action="store_true", help="a little of everything; writes nothing without --output")
    parser.add_argument("--output", type=Path, help="the folder to write to; default bench/results")
    return parser.parse_args()


def _products(text: str) -> int:
    if int(text) < LEAST:
        raise argparse.ArgumentTypeError(f"at least {LEAST}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
