"""The shop as users run it: `flaskart serve` in processes of its own, spoken to over HTTP."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import urllib3

from tests.callers import Answer, Body
from tests.postgres import free_port
from tests.processes import kill_family

FLASKART = str(Path(sys.executable).with_name("flaskart"))
GRANIAN = str(Path(sys.executable).with_name("granian"))
ROOT = Path(__file__).parent.parent
SECRET = "a secret of the tests, long enough to sign with"
LOG = "serve.log"
START_SECONDS = 60.0


@dataclass(frozen=True)
class Server:
    url: str
    process: subprocess.Popen[str]
    http: urllib3.PoolManager

    def send(self, method: str, path: str, body: Body, headers: Mapping[str, str]) -> Answer:
        response = self.http.request(
            method, self.url + path, body=body, headers=headers, retries=False, timeout=30.0, redirect=False
        )
        return Answer(response.status, response.headers, response.data)


def environment(database_url: str, **settings: str) -> Mapping[str, str]:
    """Return the environment of a shop's process: none of the developer's own settings, and no limits."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FLASKART_")}
    own = {"FLASKART_DATABASE_URL": database_url, "FLASKART_SECRET_KEY": SECRET, "FLASKART_RATE_LIMITS": "off"}
    return inherited | own | settings


@contextmanager
def serving(
    database_url: str, folder: Path, *, app: str | None = None, worker: bool = False, **variables: str
) -> Iterator[Server]:
    """Run a server until the block ends, then stop it as an operator would and see that it goes quietly.

    `app` names another factory than the shop's own, for code that is broken on purpose; `worker` has one beside the
    server; `variables` are those of the server's environment.
    """
    server = start(database_url, folder, free_port(), app=app, worker=worker, **variables)
    try:
        yield server
    finally:
        server.process.terminate()
        code = server.process.wait(timeout=20)
    assert code == 0, (folder / LOG).read_text()


def start(
    database_url: str, folder: Path, port: int, *, app: str | None = None, worker: bool = False, **variables: str
) -> Server:
    """Start a server and wait until it is ready; ending it is the caller's. `variables` are its environment's."""
    command = [FLASKART, "serve", "--port", str(port), "--workers", "2"]
    if not worker:
        command.append("--no-worker")
    if app is not None:
        options = ["--interface", "wsgi", "--factory", "--workers", "2", "--workers-kill-timeout", "2"]
        command = [GRANIAN, *options, "--port", str(port), "--log-level", "warning", app]
    variables = {"PYTHONPATH": str(ROOT), "GRANIAN_BLOCKING_THREADS": "4"} | variables
    with (folder / LOG).open("w") as log:
        process = subprocess.Popen(
            command, env=environment(database_url, **variables), cwd=folder, stdout=log, stderr=log, text=True
        )
    server = Server(f"http://127.0.0.1:{port}", process, urllib3.PoolManager(maxsize=64))
    try:
        _wait_until_ready(server, folder / LOG)
    except BaseException:
        kill_family(process.pid)
        process.wait()
        raise
    return server


def _wait_until_ready(server: Server, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            break
        try:
            # A worker that still starts has one thread, and would miss the signal to stop.
            workers = psutil.Process(server.process.pid).children()
            if server.send("GET", "/readyz", None, {}).status == 200 and all(w.num_threads() > 1 for w in workers):
                return
        except (urllib3.exceptions.HTTPError, psutil.NoSuchProcess):
            pass
        time.sleep(0.05)
    raise RuntimeError(f"the server did not start:\n{log.read_text()}")
