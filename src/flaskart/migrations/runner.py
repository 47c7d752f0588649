"""Alembic, which brings a database's schema from revision to revision. A serving process does not need it."""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Engine

from flaskart.kit.db import Database
from flaskart.kit.errors import OperatorError
from flaskart.migrations import FOLDER


class MigrationError(OperatorError):
    """Why the schema stays as it is, or how it differs from the models."""


def upgrade(db: Database, revision: str = "head") -> None:
    """Bring the schema up to a revision. May be repeated.

    Raises:
        MigrationError: no such revision.
    """
    with _translated():
        command.upgrade(_config(db), revision)


def downgrade(db: Database, revision: str) -> None:
    """Take the schema back to a revision; `base` is the empty database.

    Raises:
        MigrationError: no such revision.
    """
    with _translated():
        command.downgrade(_config(db), revision)


def check(db: Database) -> None:
    """Compare the schema with the models.

    Raises:
        MigrationError: they differ, or the database is not at the newest revision.
    """
    with _translated():
        command.check(_config(db))


def engine_of(config: Config) -> Engine:
    """Return the engine that `_config` left for env.py."""
    engine: Engine = config.attributes["engine"]
    return engine


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except CommandError as refused:
        raise MigrationError(str(refused)) from refused


def _config(db: Database) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["engine"] = db.engine
    return config
