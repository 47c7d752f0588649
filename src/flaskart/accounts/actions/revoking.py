"""Taking back what lets somebody in: sign-ins, and tokens that were mailed."""

from sqlalchemy import ColumnElement, delete, update

from flaskart.accounts.models import AccountToken, SignInRecord, TokenPurpose
from flaskart.kit import clock
from flaskart.kit.db import Session


def revoke_sign_ins(session: Session, sign_ins: ColumnElement[bool]) -> bool:
    """End sign-ins: all their tokens stop working. Return whether there was one that had not ended."""
    alive = update(SignInRecord).where(sign_ins, SignInRecord.revoked_at.is_(None))
    return bool(session.execute(alive.values(revoked_at=clock.now()).returning(SignInRecord.id)).all())


def revoke_sign_ins_of(session: Session, customer_id: int, *, but: str | None = None) -> None:
    """End the sign-ins of an account, all `but` one. The account is locked, so that none begins meanwhile."""
    theirs = SignInRecord.customer_id == customer_id
    revoke_sign_ins(session, theirs if but is None else theirs & (SignInRecord.family != but))


def drop_mailed_tokens(session: Session, customer_id: int, *purposes: TokenPurpose) -> None:
    """Make tokens that were mailed and not used worthless, those of all purposes if none is given."""
    unused = (AccountToken.customer_id == customer_id) & AccountToken.used_at.is_(None)
    which = unused & AccountToken.purpose.in_(purposes) if purposes else unused
    session.execute(delete(AccountToken).where(which))
