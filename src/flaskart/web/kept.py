"""Answers kept in this process's memory, each for as long as what it was made from has not changed.

A kept answer remembers the state it shows. Who asks for it reads the state anew, which is cheap, and gets the answer
only if it is still the same; so an answer is never stale, and processes need not tell each other anything.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from threading import Lock

from cachetools import LRUCache
from flask import Response

MAX_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer with its headers. `state` is what it was made from, `place` tells where to look for changes."""

    place: tuple[int, int]
    state: object
    body: bytes
    headers: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, response: Response, place: tuple[int, int], state: object) -> "Kept":
        return cls(place, state, response.get_data(), tuple(response.headers.items()))

    def answer(self) -> Response:
        return Response(self.body, headers=self.headers)


class KeptAnswers:
    """The answers used last, up to 16 MiB of bodies."""

    def __init__(self) -> None:
        self._kept: LRUCache[Hashable, Kept] = LRUCache(MAX_BYTES, getsizeof=lambda kept: len(kept.body))
        self._lock = Lock()

    def find(self, key: Hashable) -> Kept | None:
        with self._lock:
            return self._kept.get(key)

    def keep(self, key: Hashable, kept: Kept) -> None:
        """Keep an answer, if it is not larger than all there may be."""
        with self._lock:
            if len(kept.body) <= MAX_BYTES:
                self._kept[key] = kept

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
