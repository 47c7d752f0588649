"""The worker that `flaskart serve` runs beside its web processes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import click

from flaskart.worker import STOP_SECONDS

CHECK_SECONDS = 0.5
RESTART_SECONDS = 2.0


@contextmanager
def worker_beside() -> Iterator[None]:
    """Have a worker process until the block ends: started again when it dies, and told to stop in the end.

    It ends by itself when this process is killed.
    """
    stop = Event()
    first = _start()  # in this thread, before the server forks its processes
    keeper = Thread(target=_keep, args=(first, stop), name="worker keeper")
    keeper.start()
    try:
        yield
    finally:
        stop.set()
        keeper.join()


def _keep(process: "subprocess.Popen[bytes]", stop: Event) -> None:
    while not stop.wait(CHECK_SECONDS):
        if process.poll() is None:
            continue
        click.echo(f"flaskart: the worker has ended with {process.returncode} and is started again", err=True)
        if not stop.wait(RESTART_SECONDS):
            process = _start()
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _start() -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "flaskart.cli", "worker", "--parent", str(os.getpid())]
    # In a group of its own, so that Ctrl-C reaches it through this process and not twice.
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0)  # noqa: S603
