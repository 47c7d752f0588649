"""A PostgreSQL server for the tests, out of a wheel: nothing has to be installed or running beforehand."""

import os
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pg0

NAME = "flaskart-tests"
# Durability is not what these tests are about; `crash/` brings its own server.
OPTIONS = ("fsync=off", "full_page_writes=off", "max_connections=300", "logging_collector=off", "shared_buffers=128MB")


@dataclass(frozen=True)
class PostgresServer:
    url: str
    folder: Path

    def stop(self) -> None:
        _pg0(self.folder, "stop", "--name", NAME)
        shutil.rmtree(self.folder)


def start_postgres() -> PostgresServer:
    """Start a server on a free port of 127.0.0.1 in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="flaskart-pg-"))
    # The binary is copied to where the user that runs it may read it, wherever the checkout is.
    shutil.copy(Path(pg0.__file__).parent / "bin" / "pg0", folder / "pg0")
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody")
    port = free_port()
    options = [argument for option in OPTIONS for argument in ("-c", option)]
    _pg0(folder, "start", "--name", NAME, "--port", str(port), "--data-dir", str(folder / "data"), *options)
    return PostgresServer(f"postgresql://postgres:postgres@127.0.0.1:{port}/postgres", folder)


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
