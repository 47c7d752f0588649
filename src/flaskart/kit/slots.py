"""A bound on how much of something expensive a process does at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from flaskart.kit.errors import Unavailable


class Overloaded(Unavailable):
    code = "overloaded"
    message = "Too many ask for this at once; try again in a moment"


class Slots:
    """So many threads at once, the others wait; but none longer than `wait_seconds`."""

    def __init__(self, count: int, *, wait_seconds: float) -> None:
        self._free = BoundedSemaphore(count)
        self._wait_seconds = wait_seconds

    @contextmanager
    def take(self) -> Iterator[None]:
        """Hold a slot until the block ends.

        Raises:
            Overloaded: none became free in time.
        """
        if not self._free.acquire(timeout=self._wait_seconds):
            raise Overloaded
        try:
            yield
        finally:
            self._free.release()
