"""Writers of a SQLite file take turns, first come first served, among the threads of a process and among processes.

SQLite itself lets one writer in and the others ask again later, at growing intervals; under load some starve.
"""

import fcntl
import os
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from flaskart.kit.errors import DatabaseUnavailable


class Turns:
    """The queue of one database file.

    In a process, a thread hands over to the one that has waited longest. Among processes there are two lock files, the
    second of which (`-write`) is the right to write: only who holds the first (`-next`) waits for it, so a process
    that has just written cannot overtake one that waits. The kernel frees both when a process dies.
    """

    def __init__(self, database: str) -> None:
        self._files = [Path(f"{database}-{name}") for name in ("next", "write")]
        self._descriptors: list[int] = []
        self._mutex = Lock()
        self._is_taken = False
        self._waiting: deque[Lock] = deque()

    @contextmanager
    def take(self) -> Iterator[None]:
        """Wait for one's turn, and have it until the block ends.

        Raises:
            DatabaseUnavailable: the lock files cannot be made, as on a full or read-only disk.
        """
        self._enter()
        try:
            right = self._wait_for_other_processes()
            try:
                yield
            finally:
                fcntl.flock(right, fcntl.LOCK_UN)
        finally:
            self._leave()

    def close(self) -> None:
        while self._descriptors:
            os.close(self._descriptors.pop())

    def _enter(self) -> None:
        with self._mutex:
            if not self._is_taken:
                self._is_taken = True
                return
            mine = Lock()
            mine.acquire()
            self._waiting.append(mine)
        mine.acquire()  # until `_leave` hands over

    def _leave(self) -> None:
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False

    def _wait_for_other_processes(self) -> int:
        """Return the descriptor whose lock is the right to write."""
        try:
            if not self._descriptors:
                self._descriptors = [os.open(path, os.O_RDWR | os.O_CREAT, 0o600) for path in self._files]
            following, right = self._descriptors
            fcntl.flock(following, fcntl.LOCK_EX)
            fcntl.flock(right, fcntl.LOCK_EX)
            fcntl.flock(following, fcntl.LOCK_UN)
        except OSError as failure:
            raise DatabaseUnavailable from failure
        return right
