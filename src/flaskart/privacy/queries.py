"""Named reads of the privacy room."""

from collections.abc import Sequence

from sqlalchemy import select

from flaskart.accounts.queries import hash_token
from flaskart.kit import clock
from flaskart.kit.actor import Actor
from flaskart.kit.db import Session
from flaskart.privacy.errors import ExportNotFound
from flaskart.privacy.models import Export, ExportState


def list_exports(session: Session, actor: Actor) -> Sequence[Export]:
    """Return the actor's exports, the newest first: no more than one that is pending and one that is ready."""
    own = select(Export).where(Export.customer_id == actor.customer_id)
    return session.scalars(own.order_by(Export.id.desc())).all()


def get_archive(session: Session, token: str) -> tuple[int, bytes]:
    """Return the id of the export that a token gives a right to, and its archive.

    Raises:
        ExportNotFound: no such token, or it has expired.
    """
    named = select(Export.id, Export.archive).where(
        Export.token_hash == hash_token(token), Export.state == ExportState.READY, Export.expires_at > clock.now()
    )
    found = session.execute(named).one_or_none()
    if found is None:
        raise ExportNotFound
    return found.id, found.archive
