"""`flaskart serve`: run the shop."""

import socket
from contextlib import nullcontext

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from flaskart.accounts.oidc.providers import read_providers
from flaskart.cli.beside import worker_beside
from flaskart.cli.shop import open_shop
from flaskart.settings import Settings

BLOCKING_THREADS = 4
# Granian's workers miss a signal that comes while they start, and would be waited for without end.
STOP_SECONDS = 10


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65_535), help="Port to listen on.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Number of processes.")
@click.option("--no-worker", "is_alone", is_flag=True, help="Leave the jobs to `flaskart worker`, run elsewhere.")
def serve(host: str, port: int, workers: int, is_alone: bool) -> None:
    """Serve the shop's API until SIGTERM or Ctrl-C; requests and a job under way get ten seconds each to finish."""
    settings, db = open_shop()
    settings.secret()
    settings.old_secrets()
    read_providers(settings.oidc_providers)
    _see_that_port_is_free(host, port)
    db.close()
    _warn(settings, workers)
    base = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    click.echo(
        f"Flaskart serves on {base}\n"
        f"  open  {base}/docs\n"
        f"  try   curl '{base}/products?limit=2'\n"
        f"  try   curl {base}/products/1",
    )
    server = Granian(
        "flaskart.app:wsgi",
        factory=True,
        interface=Interfaces.WSGI,
        address=host,
        port=port,
        workers=workers,
        blocking_threads=BLOCKING_THREADS,
        workers_kill_timeout=STOP_SECONDS,
        log_level=LogLevels.warning,
    )
    with nullcontext() if is_alone else worker_beside():
        server.serve()


def _warn(settings: Settings, workers: int) -> None:
    if settings.rate_limits == "off":
        click.echo("WARNING: FLASKART_RATE_LIMITS=off, so nobody is kept from guessing passwords.", err=True)
    elif settings.rate_limit_storage == "memory" and workers > 1:
        click.echo(
            f"WARNING: with FLASKART_RATE_LIMIT_STORAGE=memory each of {workers} processes counts by itself, so that "
            f"{workers} times as much passes.",
            err=True,
        )


def _see_that_port_is_free(host: str, port: int) -> None:
    """Say in one line what Granian would say in a backtrace."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as refused:
            raise click.ClickException(f"cannot listen on {host} port {port}: {refused.strerror}") from None
