"""A shop that is killed without a warning, and opened again where it was."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests import servers
from tests.callers import Answer, Body
from tests.postgres import free_port
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
        self.server = servers.start(self.database_url, self.folder, self.port, app=self.app, **self.environment)

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
