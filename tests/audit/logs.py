"""The audit log as the tests look at it, and ways around what protects it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select, text

from flaskart.kit import audit
from flaskart.kit.audit import SYSTEM, AuditEntry, Kind, Subject
from flaskart.kit.db import Database, Session

MUG = Subject(Kind("product", frozenset({"name", "price_minor"})), 7)
# A table made from a SELECT has the rows, but no constraint and no trigger.
UNPROTECTED = (
    "CREATE TABLE loose AS SELECT * FROM audit_entry",
    "DROP TABLE audit_entry",
    "ALTER TABLE loose RENAME TO audit_entry",
)


def entries_of(db: Database) -> Sequence[Row[*tuple[Any, ...]]]:
    with db.read() as session:
        return session.execute(select(*AuditEntry.__table__.columns).order_by(AuditEntry.id)).all()


def write_three(session: Session) -> None:
    """Record that a mug was added, changed and removed."""
    audit.record(session, SYSTEM, "product.added", MUG, after={"name": "Müg", "price_minor": 100, "secret": "canary"})
    audit.record(session, SYSTEM, "product.updated", MUG, before={"price_minor": 100}, after={"price_minor": 90})
    audit.record(session, SYSTEM, "product.removed", MUG, before={"name": "Müg", "price_minor": 90})


def tamper(db: Database, *statements: str) -> None:
    """Run statements on a log that nothing protects any more."""
    with db.write() as session:
        for statement in (*UNPROTECTED, *statements):
            session.execute(text(statement))
