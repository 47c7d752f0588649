"""Server processes on loopback, and the CPU time that each one with its workers has used."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import psutil

SCRIPTS = Path(sys.executable).parent
ROOT = Path(__file__).parent.parent
START_SECONDS = 20.0


@dataclass(frozen=True)
class Running:
    port: int
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """User and system time of the whole process tree so far."""
        tree = [self.process, *self.process.children(recursive=True)]
        return sum(sum(process.cpu_times()[:2]) for process in tree)

    def memory_mib(self) -> float:
        """Resident memory of the largest process of the tree."""
        tree = [self.process, *self.process.children(recursive=True)]
        return float(max(process.memory_info().rss for process in tree)) / 2**20


@contextmanager
def serving(factory: str, environment: Mapping[str, str], *, ready: str) -> Iterator[Running]:
    """Serve a WSGI factory as `flaskart serve` does, with one process, until the block ends."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    options = ["--interface", "wsgi", "--factory", "--workers", "1", "--blocking-threads", "4", "--port", str(port)]
    process = subprocess.Popen(
        [str(SCRIPTS / "granian"), *options, "--log-level", "warning", factory],
        env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
    )
    try:
        _wait(port, ready, process)
        yield Running(port, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait(port: int, path: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server did not start")
