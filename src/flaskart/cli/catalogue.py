"""`flaskart demo`: a catalogue to try the shop with."""

from collections.abc import Iterator
from itertools import islice

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from flaskart.catalog.queries import count_products
from flaskart.cli.goods import Good, make_goods
from flaskart.cli.shop import open_shop
from flaskart.kit.money import exponent
from flaskart.listings.actions import NewListing, add_listings

BATCH = 1_000


@click.command()
@click.option("--products", default=60, show_default=True, type=click.IntRange(1, 10_000_000), help="How many.")
def demo(products: int) -> None:
    """Load a made-up catalogue into an empty shop; a shop with products stays as it is."""
    settings, db = open_shop()
    with db.read() as session:
        existing = count_products(session)
    if existing:
        click.echo(f"The shop has {existing} products already; nothing was loaded.")
        return
    goods = make_goods(products)
    columns = (TextColumn("Loading products"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=products)
        for batch in _batches(goods, settings.currency):
            with db.write() as session:
                add_listings(session, batch)
            progress.advance(task, len(batch))
    db.analyze()
    click.echo(f"Loaded {products} products.")


def _batches(goods: Iterator[Good], currency: str) -> Iterator[list[NewListing]]:
    scale = 10 ** exponent(currency)
    while batch := list(islice(goods, BATCH)):
        yield [
            NewListing(good.name, good.slug, good.description, good.price_cents * scale // 100, currency, good.stock)
            for good in batch
        ]
