"""An empty migrated database for every test, on either engine: a copy of one that was migrated once."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import psycopg
from sqlalchemy import make_url, text

from flaskart.kit.db import Database
from flaskart.migrations import runner

POSTGRES_URL = "FLASKART_TEST_POSTGRES_URL"


@dataclass(frozen=True)
class SqliteTemplate:
    folder: Path

    @contextmanager
    def copy(self) -> Iterator[str]:
        """Yield the URL of a fresh copy, which is the same for every test of a process."""
        path = self.folder / "test.db"
        shutil.copy(self.folder / "template.db", path)
        yield f"sqlite:///{path}"
        for leftover in self.folder.glob("test.db*"):
            leftover.unlink()


@dataclass(frozen=True)
class PostgresTemplate:
    server_url: str
    name: str

    @contextmanager
    def copy(self) -> Iterator[str]:
        """Yield the URL of a fresh copy, which is the same for every test of a process."""
        name = f"{self.name}_test"
        run_on_server(self.server_url, f"CREATE DATABASE {name} TEMPLATE {self.name}")
        yield database_url(self.server_url, name)
        run_on_server(self.server_url, f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def empty_database(engine: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a database that holds nothing, not even a schema."""
    if engine == "sqlite":
        yield f"sqlite:///{folder / 'empty.db'}"
        return
    server_url, name = os.environ[POSTGRES_URL], f"flaskart_empty_{os.getpid()}"
    run_on_server(server_url, f"CREATE DATABASE {name}")
    yield database_url(server_url, name)
    run_on_server(server_url, f"DROP DATABASE {name} WITH (FORCE)")


def engine_of(url: str) -> str:
    return make_url(url).get_backend_name()


def sqlite_template(folder: Path) -> SqliteTemplate:
    _migrate(f"sqlite:///{folder / 'template.db'}")
    return SqliteTemplate(folder)


def postgres_template(worker: str) -> PostgresTemplate:
    server_url = os.environ[POSTGRES_URL]
    name = f"flaskart_{worker}_{os.getpid()}"
    run_on_server(server_url, f"CREATE DATABASE {name}")
    _migrate(database_url(server_url, name))
    return PostgresTemplate(server_url, name)


def wait_until_blocked(db: Database) -> None:
    """On PostgreSQL, wait until somebody waits for a row; on SQLite a writer waits before its first statement."""
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    for _ in range(500):
        if db.engine.dialect.name == "sqlite":
            return
        with db.read() as session:
            if session.scalar(waiting):
                return
        Event().wait(0.01)
    raise AssertionError("nobody waited")


def database_url(server_url: str, name: str) -> str:
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


def run_on_server(server_url: str, statement: str) -> None:
    url = make_url(server_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def _migrate(url: str) -> None:
    database = Database(url)
    runner.upgrade(database)
    database.close()
