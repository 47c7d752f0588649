"""What the worker does for the privacy room."""

from datetime import timedelta

from flaskart.kit.db import Database, Session
from flaskart.kit.jobs import Handler, Payload
from flaskart.privacy import actions, retention


def make_export(db: Database, payload: Payload) -> None:
    """Put an export together, outside a transaction: it may take seconds, and nobody should wait for it."""
    actions.make_export(db, payload["export_id"])


def erase_again(session: Session, payload: Payload) -> None:
    """Erase what requests that were under way have written about somebody who was being erased."""
    actions.erase_person(session, payload["erased_id"])


def forget(session: Session, _payload: Payload) -> None:
    """Delete what is past its time."""
    retention.forget_what_is_over(session)


JOBS: dict[str, Handler] = {
    "privacy.export": make_export,
    "privacy.erase_again": erase_again,
    "privacy.forget": forget,
}
PERIODIC = {"privacy.forget": timedelta(hours=1)}
