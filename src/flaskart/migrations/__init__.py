"""The schema's history, shipped with the package, and where a database stands in it."""

from functools import cache
from pathlib import Path

from sqlalchemy import inspect, literal, select, table, text

from flaskart.kit.db import Database

FOLDER = Path(__file__).parent
# Tables in which migrations themselves put rows, and those that are about the schema.
SEEDED = frozenset({"audit_head", "catalog_version", "role", "stock_location"})
OF_SCHEMA = frozenset({"alembic_version", "sqlite_sequence"})
# The worker puts its periodic jobs even into an empty shop, and without a shop there is nothing else for it to do.
OF_WORKER = frozenset({"job"})


@cache
def revisions() -> list[str]:
    """Return all revisions of this version, the oldest first: the numbers that the files' names begin with."""
    return sorted(path.name[:4] for path in (FOLDER / "versions").glob("[0-9]*.py"))


def head_revision() -> str:
    """Return the newest revision of this version."""
    return revisions()[-1]


def current_revision(db: Database) -> str | None:
    """Return the database's revision, None for one that was never migrated."""
    with db.read() as session:
        if not inspect(session.connection()).has_table("alembic_version"):
            return None
        revision: str | None = session.scalar(text("SELECT version_num FROM alembic_version"))
        return revision


def is_known(revision: str) -> bool:
    """Tell whether this version has a revision; those of later versions it does not."""
    return revision in revisions()


def is_missing(db: Database) -> bool:
    """Tell whether the database is a file that is not there. A connection would make it."""
    return db.engine.dialect.name == "sqlite" and not Path(str(db.url.database)).is_file()


def has_data(db: Database) -> bool:
    """Tell whether a database holds more than migrations and the worker put there; a missing one holds nothing."""
    if is_missing(db):
        return False
    names = set(inspect(db.engine).get_table_names()) - SEEDED - OF_SCHEMA - OF_WORKER
    with db.read() as session:
        return any(session.scalar(select(literal(1)).select_from(table(name)).limit(1)) for name in sorted(names))
