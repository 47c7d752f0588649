"""The schema and how it gets there: Alembic, shipped with the package."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from flaskart.kit.db import Database

FOLDER = Path(__file__).parent


def upgrade(db: Database, revision: str = "head") -> None:
    """Bring the schema up to a revision. May be repeated."""
    command.upgrade(_config(db), revision)


def downgrade(db: Database, revision: str) -> None:
    """Take the schema back to a revision; `base` is the empty database."""
    command.downgrade(_config(db), revision)


def check(db: Database) -> None:
    """Compare the schema with the models.

    Raises:
        alembic.util.CommandError: they differ, or the database is not at the newest revision.
    """
    command.check(_config(db))


def current_revision(db: Database) -> str | None:
    """Return the database's revision, None for one that was never migrated."""
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


@cache
def head_revision() -> str:
    """Return the newest revision of this version."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return str(ScriptDirectory.from_config(config).get_current_head())


def _config(db: Database) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["engine"] = db.engine
    return config


def engine_of(config: Config) -> Engine:
    """Return the engine that `_config` left for env.py."""
    engine: Engine = config.attributes["engine"]
    return engine
