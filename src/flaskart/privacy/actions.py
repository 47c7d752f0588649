"""What a person does about the data that is kept of them."""

import secrets
from datetime import timedelta

from sqlalchemy import delete, or_, select, update

from flaskart.accounts.actions import leave_staff
from flaskart.accounts.queries import hash_token, lock_account
from flaskart.kit import clock, jobs
from flaskart.kit.actor import Actor, Role
from flaskart.kit.db import Database, Session
from flaskart.privacy import archives, rooms
from flaskart.privacy.errors import ExportNotFound, ExportTooSoon
from flaskart.privacy.models import Export, ExportState

KEPT = timedelta(days=7)
PAUSE = timedelta(hours=1)
# A request that was under way when its sender was erased is over by then, whatever it wrote.
ERASED_AGAIN_AFTER = timedelta(minutes=5)


def ask_for_export(session: Session, actor: Actor) -> Export:
    """Have a job put together all that is kept about the actor.

    Raises:
        AccountNotFound: erased a moment ago.
        ExportTooSoon: one is being made, or was asked for within the last hour.
    """
    lock_account(session, actor)
    now = clock.now()
    is_enough = or_(Export.state == ExportState.PENDING, Export.created_at > now - PAUSE)
    own = select(Export).where(Export.customer_id == actor.customer_id, is_enough)
    found = session.scalars(own.order_by(Export.id.desc()).limit(1)).one_or_none()
    if found is not None:
        raise ExportTooSoon(export_id=found.id, state=found.state)
    export = Export(customer_id=actor.customer_id, state=ExportState.PENDING, created_at=now, expires_at=now + KEPT)
    session.add(export)
    session.flush()
    jobs.enqueue(session, "privacy.export", {"export_id": export.id})
    return export


def make_export(db: Database, export_id: int) -> None:
    """Put a pending export together and have its owner told; their earlier one is deleted. May be repeated.

    An export that is gone, since its owner was erased, or made already is left alone.
    """
    pending = (Export.id == export_id) & (Export.state == ExportState.PENDING)
    with db.read() as session:
        customer_id = session.scalar(select(Export.customer_id).where(pending))
        if customer_id is None:
            return
        head = {"made_at": clock.now(), "customer_id": customer_id}
        archive = archives.write(head, rooms.sections_of(session, customer_id))
    with db.write() as session:
        session.execute(delete(Export).where(Export.customer_id == customer_id, Export.id < export_id))
        ready = {"state": ExportState.READY.value, "archive": archive, "expires_at": clock.now() + KEPT}
        if session.scalar(update(Export).where(pending).values(ready).returning(Export.id)) is not None:
            jobs.enqueue(session, "mail.export_ready", {"export_id": export_id})


def issue_export_token(session: Session, export_id: int) -> str:
    """Return a new token by which an export may be downloaded until it expires; an earlier one stops working.

    Raises:
        ExportNotFound: no such export, not ready, or expired.
    """
    token = secrets.token_urlsafe(32)
    is_valid = (Export.id == export_id) & (Export.state == ExportState.READY) & (Export.expires_at > clock.now())
    issued = update(Export).where(is_valid).values(token_hash=hash_token(token))
    if session.scalar(issued.returning(Export.id)) is None:
        raise ExportNotFound
    return token


def forget_expired_exports(session: Session) -> int:
    """Delete the exports that are past their time, made or not; return how many there were."""
    expired = delete(Export).where(Export.expires_at < clock.now())
    return len(session.execute(expired.returning(Export.id)).all())


def erase_account(session: Session, actor: Actor) -> None:
    """Erase the actor wherever something is kept about them, and end their sign-ins. The orders stay, for the books.

    What requests under way at this moment write afterwards is erased by a job.

    Raises:
        AccountNotFound: erased a moment ago.
        LastOwner: nobody else could look after the shop.
    """
    customer = lock_account(session, actor)
    if customer.role == Role.STAFF:
        leave_staff(session, actor, customer)
    erase_person(session, actor.customer_id)
    again = clock.now() + ERASED_AGAIN_AFTER
    jobs.enqueue(session, "privacy.erase_again", {"erased_id": actor.customer_id}, run_at=again)


def erase_person(session: Session, customer_id: int) -> None:
    """Erase a person from every room, with their exports and the jobs about them. May be repeated."""
    own = Export.customer_id == customer_id
    jobs.cancel(session, "export_id", select(Export.id).where(own))
    jobs.cancel(session, "customer_id", [customer_id])
    session.execute(delete(Export).where(own))
    rooms.erase_everywhere(session, customer_id)
