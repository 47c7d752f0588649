"""Server processes on loopback, and the CPU time and memory that each one with its workers uses."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psutil
from tests.databases import database_url, run_on_server
from tests.postgres import free_port, start_postgres

from bench.load import NotMeasured
from flaskart.cli.server import BLOCKING_THREADS, STOP_SECONDS

SCRIPTS = Path(sys.executable).parent
ROOT = Path(__file__).parent.parent
SECRET = "signs tokens of a benchmark's shop, which is thrown away"
TOKEN_SECONDS = 86_400
START_SECONDS = 20.0
WORKERS = 2
# As durable as a shop's: what is committed is on the disk.
DURABLE = ("fsync=on", "synchronous_commit=on", "full_page_writes=on", "max_connections=100", "shared_buffers=128MB")


@dataclass(frozen=True, slots=True)
class Family:
    """A process with all that it has started."""

    head: psutil.Process

    @classmethod
    def of(cls, pid: int) -> "Family":
        return cls(psutil.Process(pid))

    def cpu_seconds(self) -> Mapping[int, float]:
        """Return the CPU time of each member so far, that of threads which have ended included, in nanosecond steps."""
        times = {}
        for member in self._members():
            try:
                times[member.pid] = time.clock_gettime(_cpu_clock(member.pid))
            except OSError:  # it has just ended
                continue
        return times

    def worker_bytes(self) -> int:
        """Resident memory of the largest process but the head."""
        return max(int(member.memory_info().rss) for member in self._members()[1:])

    def peak_bytes(self) -> int:
        """The largest resident memory each member ever had, added up; what they share is counted for each."""
        return sum(_peak_bytes(member.pid) for member in self._members())

    def _members(self) -> list[psutil.Process]:
        return [self.head, *self.head.children(recursive=True)]


def cpu_between(before: Mapping[int, float], after: Mapping[int, float]) -> float:
    """Return the seconds that the members of a family used between two readings; one that ended is left out."""
    return sum(seconds - before.get(pid, 0.0) for pid, seconds in after.items())


@dataclass(frozen=True, slots=True)
class Running:
    """A server. `ready_seconds` is how long it took from its spawn to its first good answer."""

    url: str
    family: Family
    ready_seconds: float


@dataclass(frozen=True, slots=True)
class Engine:
    """A database engine. SQLite has no processes of its own."""

    name: str
    folder: Path
    server_url: str = ""
    family: Family | None = None

    def new_database(self, name: str) -> str:
        """Return the URL of a new empty database."""
        if self.family is None:
            return f"sqlite:///{self.folder / name}.db"
        run_on_server(self.server_url, f"CREATE DATABASE {name}")
        return database_url(self.server_url, name)


@contextmanager
def started(name: str, folder: Path) -> Iterator[Engine]:
    """Have a database engine until the block ends: for PostgreSQL a server of its own."""
    if name == "sqlite":
        yield Engine(name, folder)
        return
    server = start_postgres(DURABLE)
    try:
        pid = int((server.folder / "data" / "postmaster.pid").read_text().split("\n", 1)[0])
        yield Engine(name, folder, server.url, Family.of(pid))
    finally:
        server.stop()


def environment(url: str) -> Mapping[str, str]:
    """Return the environment of a shop's process: none of the developer's own settings."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FLASKART_")}
    return inherited | {
        "FLASKART_DATABASE_URL": url,
        "FLASKART_SECRET_KEY": SECRET,
        "FLASKART_ACCESS_TOKEN_SECONDS": str(TOKEN_SECONDS),
        "FLASKART_RATE_LIMITS": "off",
        "PYTHONPATH": str(ROOT),
    }


@contextmanager
def serving_shop(url: str, folder: Path, *, workers: int = WORKERS) -> Iterator[Running]:
    """Serve a shop as users do, but for the worker, whose jobs are not what is measured."""
    port = free_port()
    command = [str(SCRIPTS / "flaskart"), "serve", "--no-worker", "--workers", str(workers), "--port", str(port)]
    with _running(command, port, environment(url), folder, ready="/readyz") as running:
        yield running


@contextmanager
def serving_app(factory: str, settings: Mapping[str, str], folder: Path, *, ready: str) -> Iterator[Running]:
    """Serve another app with the options that `flaskart serve` gives to Granian."""
    port = free_port()
    options = ["--interface", "wsgi", "--factory", "--port", str(port), "--workers", str(WORKERS)]
    options += ["--blocking-threads", str(BLOCKING_THREADS), "--workers-kill-timeout", str(STOP_SECONDS)]
    command = [str(SCRIPTS / "granian"), *options, "--log-level", "warning", factory]
    with _running(command, port, settings, folder, ready=ready) as running:
        yield running


@contextmanager
def _running(
    command: Sequence[str], port: int, settings: Mapping[str, str], folder: Path, *, ready: str
) -> Iterator[Running]:
    with (folder / f"serve-{port}.log").open("w+") as log:
        began = time.perf_counter()
        process = subprocess.Popen(command, env=settings, cwd=folder, stdout=log, stderr=log)
        try:
            if not _becomes_ready(port, ready, process):
                log.seek(0)
                raise NotMeasured(f"the server did not start: {log.read().strip()}")
            yield Running(f"http://127.0.0.1:{port}", Family.of(process.pid), time.perf_counter() - began)
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS * 2)
            except subprocess.TimeoutExpired:
                process.kill()


def _becomes_ready(port: int, path: str, process: "subprocess.Popen[bytes]") -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return True
        except (OSError, HTTPException):
            pass  # not listening yet
        finally:
            connection.close()
        time.sleep(0.005)
    return False


def _cpu_clock(pid: int) -> int:
    """Return the number of a process's CPU clock (clock_getcpuclockid(3), as Linux makes it up)."""
    return (~pid << 3) | 2


def _peak_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))
