"""Constraint violations as the room's own errors: nothing is asked first, the database decides."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError

from flaskart.kit.db import Session
from flaskart.kit.errors import ShopError


@contextmanager
def translated(session: Session, errors: Mapping[str, type[ShopError]]) -> Iterator[None]:
    """Flush at the end of the block; a violation of a constraint named in `errors` becomes that error.

    Keys are constraint names; SQLite reports columns instead (`customer.email_folded`), so a key may hold both,
    separated by a space.
    """
    try:
        yield
        session.flush()
    except IntegrityError as violation:
        reported = violated_constraint(violation)
        for names, error in errors.items():
            if reported in names.split():
                raise error() from violation
        raise


def violated_constraint(violation: IntegrityError) -> str:
    """Return what the database names: the constraint on PostgreSQL, `table.column` or the CHECK's name on SQLite."""
    diagnostics = getattr(violation.orig, "diag", None)
    if diagnostics is not None:
        return str(diagnostics.constraint_name)
    return str(violation.orig).rpartition(": ")[2]
