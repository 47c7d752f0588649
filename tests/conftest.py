"""Fixtures: a database (on each engine), the app on it, an anonymous caller, a maker of data, a real server."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from flaskart.app import create_app
from flaskart.invariants import check_invariants
from flaskart.kit.db import Database
from flaskart.settings import Settings
from flaskart.web.http import KEY
from flaskart.web.openapi import ShopApp
from flaskart.web.tokens import AccessTokens
from tests.callers import Caller, Make, MakeWith, in_process
from tests.databases import (
    POSTGRES_URL,
    PostgresTemplate,
    SqliteTemplate,
    empty_database,
    engine_of,
    postgres_template,
    sqlite_template,
)
from tests.postgres import PostgresServer, start_postgres
from tests.servers import SECRET, Server, serving

ENGINES = ("sqlite", "postgresql")
TOKENS = AccessTokens.with_secret(SECRET.encode(), seconds=900)
_server = pytest.StashKey[PostgresServer]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="run races and crashes at full length: minutes, not seconds")


def pytest_configure(config: pytest.Config) -> None:
    """Start PostgreSQL once, in the process that hands out the tests; its workers inherit the URL and the programs."""
    for name in [name for name in os.environ if name.startswith("FLASKART_") and name != POSTGRES_URL]:
        del os.environ[name]  # the developer's own shop is none of the tests' business
    if not hasattr(config, "workerinput") and POSTGRES_URL not in os.environ and not config.option.collectonly:
        config.stash[_server] = start_postgres()
        os.environ[POSTGRES_URL] = config.stash[_server].url
        os.environ["PATH"] = f"{config.stash[_server].programs}{os.pathsep}{os.environ['PATH']}"


def pytest_unconfigure(config: pytest.Config) -> None:
    if _server in config.stash:
        config.stash[_server].stop()
        del os.environ[POSTGRES_URL]


@pytest.fixture(scope="session")
def is_soak(request: pytest.FixtureRequest) -> bool:
    """Whether races and crashes run at full length (`make soak`) or in their short form (`make test`)."""
    return bool(request.config.option.soak)


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> dict[str, SqliteTemplate | PostgresTemplate]:
    return {
        "sqlite": sqlite_template(tmp_path_factory.mktemp("sqlite")),
        "postgresql": postgres_template(worker_id),
    }


@pytest.fixture(params=ENGINES)
def database_url(
    request: pytest.FixtureRequest, templates: dict[str, SqliteTemplate | PostgresTemplate]
) -> Iterator[str]:
    """The URL of an empty, migrated database."""
    with templates[request.param].copy() as url:
        yield url


@pytest.fixture
def empty_url(database_url: str, tmp_path: Path) -> Iterator[str]:
    """The URL of a second database of the same engine, in which nothing is."""
    with empty_database(engine_of(database_url), tmp_path) as url:
        yield url


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """The database. Whatever a test did, the shop's invariants hold afterwards."""
    database = database_at(database_url)
    yield database
    with database.read() as session:
        violations = check_invariants(session)
    database.close()
    assert violations == []


@pytest.fixture
def app(db: Database, database_url: str) -> Iterator[ShopApp]:
    """The app. Tests of one engine share it, and what it has prepared; a test that changes it must change it back."""
    built = app_at(database_url)
    yield built
    built.extensions[KEY].kept.clear()
    built.extensions[KEY].db.close()


@pytest.fixture
def anyone(app: ShopApp) -> Caller:
    """A caller who is not signed in."""
    return Caller(in_process(app.test_client(use_cookies=False)))


@pytest.fixture
def make(app: ShopApp, db: Database) -> Make:
    return Make(db, TOKENS, in_process(app.test_client(use_cookies=False)))


@pytest.fixture
def make_with(db: Database, database_url: str) -> Iterator[MakeWith]:
    """Opens the same shop with other settings."""
    with ExitStack() as opened:

        def make_with(**changed: Any) -> Make:
            built = create_app(settings_of(database_url, **changed))
            opened.callback(built.extensions[KEY].db.close)
            return Make(db, TOKENS, in_process(built.test_client(use_cookies=False)))

        yield make_with


@pytest.fixture
def make_over_http(server: Server, db: Database) -> Make:
    """Like `make`, but its callers speak HTTP to the server."""
    return Make(db, TOKENS, server.send)


@pytest.fixture
def server(database_url: str, db: Database, tmp_path: Path) -> Iterator[Server]:
    """A real server of two processes on the test's database."""
    with serving(database_url, tmp_path) as running:
        yield running


@contextmanager
def shop_at(url: str) -> Iterator[Make]:
    """Open the shop of another database than the test's."""
    built = create_app(settings_of(url))
    yield Make(built.extensions[KEY].db, TOKENS, in_process(built.test_client(use_cookies=False)))
    built.extensions[KEY].db.close()


@cache
def database_at(url: str) -> Database:
    return Database(url)


@cache
def app_at(url: str) -> ShopApp:
    return create_app(settings_of(url))


def settings_of(url: str, **changed: Any) -> Settings:
    """Return the settings of a test's shop, where nothing is limited unless the test says so."""
    given: dict[str, Any] = {"database_url": url, "secret_key": SecretStr(SECRET), "rate_limits": "off"}
    return Settings(_env_file=None, **(given | changed))
