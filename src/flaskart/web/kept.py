"""Answers kept in this process's memory, each for as long as what it was made from has not changed.

A kept answer remembers the state it shows. Who asks for it has the state read anew, which is cheap, and gets the answer
only if it is still the same; so an answer is never stale, and processes need not tell each other anything. They stand
before Flask, whose share of such an answer would be the largest.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from cachetools import LRUCache
from flask import Response, request
from sqlalchemy.exc import DBAPIError

from flaskart.kit.db import Database, Session
from flaskart.kit.ids import random_uuid

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_BYTES = 8 * 2**20
OVERHEAD_BYTES = 2_048  # of an answer besides its body: key, headers, state
REQUEST_ID = "Request-Id"
OK, NOT_MODIFIED = "200 OK", "304 NOT MODIFIED"
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """A successful answer to GET. `is_current` reads whether what it shows is still so."""

    is_current: Callable[[Session], bool]
    headers: list[tuple[str, str]]
    etag: str
    body: bytes


class KeptAnswers:
    """The answers used last, up to 8 MiB of them, as a WSGI middleware: what it has not, the app answers."""

    def __init__(self, app: "WSGIApplication", db: Database) -> None:
        self._app = app
        self._db = db
        self._kept: LRUCache[Key, Kept] = LRUCache(MAX_BYTES, getsizeof=lambda kept: len(kept.body) + OVERHEAD_BYTES)
        self._lock = Lock()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        kept = self._find(environ)
        known = environ.get("HTTP_IF_NONE_MATCH")
        # A list of tags is for the app to read; it is rare.
        if kept is None or known not in (None, kept.etag) or not self._is_current(kept):
            return self._app(environ, start_response)
        headers = [*kept.headers, (REQUEST_ID, random_uuid())]
        if known is not None:
            start_response(NOT_MODIFIED, [header for header in headers if not header[0].startswith("Content-")])
            return []
        start_response(OK, headers)
        return [kept.body]

    def keep(self, response: Response, is_current: Callable[[Session], bool]) -> None:
        """Keep the answer to the current request, if it is not larger than all there may be."""
        body = response.get_data()
        headers = [*response.headers.items(), ("X-Content-Type-Options", "nosniff")]
        if len(body) + OVERHEAD_BYTES <= MAX_BYTES:
            with self._lock:
                self._kept[_key(request.environ)] = Kept(is_current, headers, response.headers["ETag"], body)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()

    def _find(self, environ: "WSGIEnvironment") -> Kept | None:
        if environ["REQUEST_METHOD"] != "GET":
            return None
        with self._lock:
            return self._kept.get(_key(environ))

    def _is_current(self, kept: Kept) -> bool:
        try:
            with self._db.read() as session:
                return kept.is_current(session)
        except DBAPIError:
            return False  # the app will meet the same failure, and knows how to tell


def _key(environ: "WSGIEnvironment") -> Key:
    """Return what an answer depends on; scheme and host are in its link to the next page."""
    return (
        environ["wsgi.url_scheme"],
        environ.get("HTTP_HOST"),
        environ["PATH_INFO"],
        environ["QUERY_STRING"],
    )
