"""The schema and how it gets there: Alembic, shipped with the package."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, literal, select, table

from flaskart.kit.db import Database

FOLDER = Path(__file__).parent
# Tables in which migrations themselves put rows, and those that are about the schema.
SEEDED = frozenset({"stock_location"})
OF_SCHEMA = frozenset({"alembic_version", "sqlite_sequence"})


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
    return str(_scripts().get_current_head())


def is_known(revision: str) -> bool:
    """Tell whether this version has a revision; those of later versions it does not."""
    return revision in {script.revision for script in _scripts().walk_revisions()}


def is_missing(db: Database) -> bool:
    """Tell whether the database is a file that is not there. A connection would make it."""
    return db.engine.dialect.name == "sqlite" and not Path(str(db.url.database)).is_file()


def has_data(db: Database) -> bool:
    """Tell whether a database holds more than migrations have put there; a missing one holds nothing."""
    if is_missing(db):
        return False
    names = set(inspect(db.engine).get_table_names()) - SEEDED - OF_SCHEMA
    with db.read() as session:
        return any(session.scalar(select(literal(1)).select_from(table(name)).limit(1)) for name in sorted(names))


def _scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return ScriptDirectory.from_config(config)


def _config(db: Database) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["engine"] = db.engine
    return config


def engine_of(config: Config) -> Engine:
    """Return the engine that `_config` left for env.py."""
    engine: Engine = config.attributes["engine"]
    return engine
