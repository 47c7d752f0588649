"""One request to a provider: no redirects, no more than so many bytes, and over when its time is."""

import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Timer
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import msgspec

MAX_ANSWER_BYTES = 262_144


class Trouble(Exception):
    """Why a provider, or what it says, is of no use: for the log, without secrets."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    members: dict[str, Any]


def ask(url: str, *, until: float, headers: Mapping[str, str] | None = None, form: str | None = None) -> Reply:
    """Send a GET, or a POST of a form, and return the JSON object it is answered with.

    It ends when `time.monotonic()` is `until`, however slowly the other side goes on.

    Raises:
        Trouble: no connection, no answer in time, too long a one, or one that is no JSON object.
    """
    parts = urlsplit(url)
    target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    sent = {"Accept": "application/json", **(headers or {})}
    if form is not None:
        sent["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        with _connection(url, until) as connection:
            connection.request("GET" if form is None else "POST", target, form, sent)
            response = connection.getresponse()
            body = response.read(MAX_ANSWER_BYTES + 1)
    except (OSError, HTTPException, ValueError) as failure:
        raise Trouble(f"{parts.hostname}{parts.path} did not answer: {type(failure).__name__}") from failure
    if len(body) > MAX_ANSWER_BYTES:
        raise Trouble(f"{parts.hostname}{parts.path} answered with more than {MAX_ANSWER_BYTES} bytes")
    try:
        members = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # The body is not shown: it may hold tokens.
        reason = f"{parts.hostname}{parts.path} answered {response.status} with what is no JSON object"
        raise Trouble(reason) from None
    return Reply(response.status, members)


@contextmanager
def _connection(url: str, until: float) -> Iterator[HTTPConnection]:
    """Open a connection that is cut when the time is over; timeouts of a socket begin anew with every byte."""
    parts = urlsplit(url)
    host, is_tls = parts.hostname or "", parts.scheme == "https"
    seconds = until - monotonic()
    if seconds <= 0:
        raise TimeoutError
    raw = socket.create_connection((host, parts.port or (443 if is_tls else 80)), timeout=seconds)
    line = raw.dup()  # the same connection, also while TLS takes `raw` over
    alarm = Timer(max(0, until - monotonic()), _cut, [line])
    alarm.start()
    try:
        connection = (HTTPSConnection if is_tls else HTTPConnection)(host, parts.port)
        connection.sock = raw
        if is_tls:
            connection.sock = ssl.create_default_context().wrap_socket(raw, server_hostname=host)
        try:
            yield connection
        finally:
            connection.close()
    finally:
        alarm.cancel()
        raw.close()
        line.close()


def _cut(line: socket.socket) -> None:
    with suppress(OSError):  # it was over already
        line.shutdown(socket.SHUT_RDWR)
