"""Ending processes without a warning, each by its own pid."""

import time
from collections.abc import Callable
from contextlib import suppress

import psutil

GONE_SECONDS = 60.0


def kill_family(pid: int) -> None:
    """Send SIGKILL to a process and to all that it has started, and wait until none of them runs any more."""
    with suppress(psutil.NoSuchProcess):
        head = psutil.Process(pid)
        head.suspend()  # it starts nobody else while its family is counted
        family = [head, *head.children(recursive=True)]
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        wait_until(lambda: not any(_is_alive(member) for member in family))


def wait_until_forgotten(pid: int) -> None:
    """Wait until a process that has ended was seen off by the one that adopted it."""
    wait_until(lambda: not psutil.pid_exists(pid))


def wait_until(is_over: Callable[[], bool]) -> None:
    deadline = time.monotonic() + GONE_SECONDS
    while not is_over():
        assert time.monotonic() < deadline, "it does not end"
        time.sleep(0.01)


def _is_alive(process: psutil.Process) -> bool:
    try:
        # The first thread of a process may be a zombie while the last ones still let go of its files.
        return process.status() != psutil.STATUS_ZOMBIE or process.num_threads() > 1
    except psutil.NoSuchProcess:
        return False
