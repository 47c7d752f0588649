"""Load on a server, made by `wrk`, each thread of which is one shopper (`flows/shopper.lua`)."""

import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

SHOPPER = Path(__file__).parent / "flows" / "shopper.lua"
MAX_SECONDS = 60  # wrk ends by itself after so long, whatever becomes of us
ANSWER_SECONDS = 15
THROUGH = b"through\n"


class NotMeasured(Exception):
    """Why something could not be measured, in one line."""


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    token: str | None = None
    body: bytes = b""
    known_etag: str | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if self.body:
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(self.body))}
        elif self.method == "POST":
            headers["Content-Length"] = "0"
        if self.known_etag:
            headers["If-None-Match"] = self.known_etag
        return headers

    def as_sent(self) -> bytes:
        lines = [f"{self.method} {self.path} HTTP/1.1", "Host: 127.0.0.1"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass(frozen=True, slots=True)
class Load:
    """What each shopper sends, in this order. So many `steps` in a row are one operation.

    What is not repeated ends when every shopper is through.
    """

    shoppers: Sequence[Sequence[Request]]
    steps: int = 1
    is_repeated: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a load went: operations that were finished, how long all of it took, and how long one operation did."""

    operations: int
    seconds: float
    p50_ms: float
    p99_ms: float
    max_ms: float

    @property
    def per_second(self) -> float:
        return self.operations / self.seconds


class _Printed(msgspec.Struct):
    operations: int
    seconds: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    failed: int
    failure: str


def find_wrk() -> str:
    """Return where `wrk` is.

    Raises:
        NotMeasured: it is not installed.
    """
    wrk = shutil.which("wrk")
    if wrk is None:
        raise NotMeasured("`wrk`, which makes the load, is not installed: apt-get install wrk")
    return wrk


def send(url: str, load: Load, seconds: float) -> Outcome:
    """Put a load on a server for so long, or until its shoppers are through.

    Raises:
        NotMeasured: no `wrk`, an answer that is an error, a connection that broke.
    """
    with tempfile.TemporaryDirectory(prefix="flaskart-wrk-") as folder:
        for number, requests in enumerate(load.shoppers, start=1):
            Path(folder, str(number)).write_bytes(b"\0".join(request.as_sent() for request in requests))
        count = str(len(load.shoppers))
        options = ["-t", count, "-c", count, "-d", f"{MAX_SECONDS}s", "--timeout", f"{ANSWER_SECONDS}s"]
        flow = [folder, str(load.steps), str(seconds), "repeat" if load.is_repeated else "once"]
        command = [find_wrk(), *options, "-s", str(SHOPPER), url, "--", *flow]
        return read_outcome(_run(command, len(load.shoppers), seconds + ANSWER_SECONDS))


def read_outcome(printed: str) -> Outcome:
    """Read the JSON that the flow prints after wrk's own report.

    Raises:
        NotMeasured: there is none, nothing was done, or something failed.
    """
    lines = printed.splitlines()
    try:
        read = msgspec.json.decode(lines[-1] if lines else "", type=_Printed)
    except msgspec.DecodeError:
        raise NotMeasured(f"wrk did not tell how it went: {printed.strip() or 'it printed nothing'}") from None
    if read.failed:
        raise NotMeasured(f"{read.failed} requests failed: {read.failure or 'the connection broke'}")
    if not read.operations or not read.seconds:
        raise NotMeasured("no operation was finished in time")
    return Outcome(read.operations, read.seconds, read.p50_ms, read.p99_ms, read.max_ms)


def _run(command: Sequence[str], shoppers: int, seconds: float) -> str:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stderr is not None
        told = _read_until_through(process.stderr.fileno(), shoppers, seconds)
        process.send_signal(signal.SIGINT)  # wrk's way to end early and still report
        output, rest = process.communicate(timeout=ANSWER_SECONDS)
    finally:
        process.kill()
    complaints = (told + rest).replace(THROUGH, b"").strip()
    if complaints:
        raise NotMeasured(f"wrk: {complaints.decode(errors='replace')}")
    return output.decode()


def _read_until_through(descriptor: int, shoppers: int, seconds: float) -> bytes:
    """Read what wrk says until all shoppers are through, or it ends, or they take too long."""
    deadline, told = time.monotonic() + seconds, b""
    while told.count(THROUGH) < shoppers and (remaining := deadline - time.monotonic()) > 0:
        if select.select([descriptor], [], [], remaining)[0]:
            chunk = os.read(descriptor, 4096)
            if not chunk:
                break
            told += chunk
    return told
