"""A PostgreSQL server for the tests, out of a wheel: nothing has to be installed or running beforehand."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pg0
import psutil
from sqlalchemy import make_url

from tests.processes import kill_family, wait_until, wait_until_forgotten

NAME = "flaskart-tests"
# Durability is not what most tests are about; those in `crash/` start a server of their own, which is durable.
OPTIONS = (
    "fsync=off",
    "full_page_writes=off",
    "max_connections=300",
    "logging_collector=off",
    "shared_buffers=128MB",
    "deadlock_timeout=100ms",  # after which a deadlock is looked for
)
DURABLE = ("fsync=on", "full_page_writes=on", "max_connections=100", "logging_collector=off", "shared_buffers=32MB")


@dataclass(frozen=True)
class PostgresServer:
    url: str
    folder: Path
    data: Path
    options: Sequence[str]

    def start(self) -> None:
        """Start the server, or start it again after it was killed or has given up."""
        if self._record.exists():
            wait_until_forgotten(json.loads(self._record.read_text())["pid"])
        options = [argument for option in self.options for argument in ("-c", option)]
        port = str(make_url(self.url).port)
        _pg0(self.folder, "start", "--name", NAME, "--port", port, "--data-dir", str(self.data), *options)

    @property
    def programs(self) -> Path:
        """The folder of `pg_dump`, `pg_restore` and others, as old as the server."""
        [found] = self.folder.glob(".pg0/installation/*/bin")
        return found

    def stop(self) -> None:
        _pg0(self.folder, "stop", "--name", NAME)
        shutil.rmtree(self.folder)

    def kill(self) -> None:
        """End all its processes without a warning, if they run."""
        process = self._process()
        if process is not None:
            kill_family(process.pid)

    def destroy(self) -> None:
        """Get rid of the server, in whatever state it is."""
        self.kill()
        shutil.rmtree(self.folder)

    def wait_until_stopped(self) -> None:
        wait_until(lambda: self._process() is None)

    @property
    def _record(self) -> Path:
        """Where pg0 keeps what it started."""
        return self.folder / ".pg0" / "instances" / NAME / "instance.json"

    def _process(self) -> psutil.Process | None:
        """Return its first process, if it runs. A killed server leaves its number, which somebody else may have now."""
        with suppress(FileNotFoundError, psutil.NoSuchProcess):
            process = psutil.Process(int((self.data / "postmaster.pid").read_text().split("\n", 1)[0]))
            if str(self.data) in process.cmdline():
                return process
        return None


def start_postgres(options: Sequence[str] = OPTIONS, *, data: Path | None = None) -> PostgresServer:
    """Start a server on a free port of 127.0.0.1 in a folder of its own, its data there too or in a folder given."""
    folder = Path(tempfile.mkdtemp(prefix="flaskart-pg-"))
    # The binary is copied to where the user that runs it may read it, wherever the checkout is.
    shutil.copy(Path(pg0.__file__).parent / "bin" / "pg0", folder / "pg0")
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody")
    url = f"postgresql://postgres:postgres@127.0.0.1:{free_port()}/postgres"
    server = PostgresServer(url, folder, data or folder / "data", options)
    server.start()
    return server


def _pg0(folder: Path, *arguments: str) -> None:
    command = [str(folder / "pg0"), *arguments]
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        command = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *command]
    environment = {"HOME": str(folder), "PATH": os.environ["PATH"], "LC_ALL": "C"}
    with (folder / "pg0.log").open("a+") as log:
        result = subprocess.run(command, env=environment, cwd=folder, stdout=log, stderr=log, check=False)
        if result.returncode:
            log.seek(0)
            raise RuntimeError(f"pg0 {arguments[0]} failed:\n{log.read()}")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
