"""A shop that is killed without a warning, and opened again where it was."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text

from flaskart.kit.db import Database
from flaskart.migrations import runner
from tests import servers
from tests.callers import Answer, Body
from tests.databases import database_url as url_of
from tests.databases import run_on_server
from tests.postgres import PostgresServer, free_port
from tests.processes import kill_family


@dataclass
class Shop:
    """Two server processes and their parent on one database, always at the same address."""

    database_url: str
    folder: Path
    app: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    server: servers.Server | None = None

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Run the shop until the block ends; then whatever still runs of it is killed."""
        self.start()
        try:
            yield
        finally:
            self.kill()

    def start(self) -> None:
        self.server = servers.start(
            self.database_url, self.folder, self.port, app=self.app, worker=False, **self.environment
        )

    def kill(self) -> None:
        """End all its processes at once, whatever they are doing, if there are any."""
        process = self.running.process
        if process.poll() is None:
            kill_family(process.pid)
            process.wait()

    @property
    def running(self) -> servers.Server:
        assert self.server is not None
        return self.server

    def send(self, method: str, path: str, body: Body, headers: Mapping[str, str]) -> Answer:
        return self.running.send(method, path, body, headers)


def shop_on(server: PostgresServer) -> str:
    """Return the URL of an empty, migrated shop on a server, which syncs what it commits."""
    run_on_server(server.url, "CREATE DATABASE shop")
    url = url_of(server.url, "shop")
    with closing(Database(url)) as db:
        runner.upgrade(db)
        with db.read() as session:
            assert session.scalar(text("SHOW fsync")) == "on"
    return url
