"""`flaskart worker`: do what was put off."""

import logging

import click

from flaskart.cli.shop import open_shop
from flaskart.mailing import create_mailer
from flaskart.worker import create_worker, work_until_told_to_stop


@click.command()
@click.option("--parent", type=int, metavar="PID", help="End when this process, which started the worker, is gone.")
def worker(parent: int | None) -> None:
    """Run the shop's jobs until SIGTERM or Ctrl-C; the one under way is finished, unless a second signal comes.

    Several may run at once, on any machine that reaches the database. `flaskart serve` runs one by itself.
    """
    settings, db = open_shop()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if parent is None:
        click.echo("The worker runs; Ctrl-C stops it.")
    work_until_told_to_stop(create_worker(db, create_mailer(settings)), parent=parent)
