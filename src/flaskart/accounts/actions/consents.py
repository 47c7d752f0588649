"""What a customer agrees to."""

from collections.abc import Mapping

from flaskart.accounts import queries
from flaskart.accounts.models import Consent, ConsentPurpose, ConsentSource
from flaskart.kit import clock
from flaskart.kit.actor import Actor
from flaskart.kit.db import Session


def set_consent(session: Session, actor: Actor, purpose: ConsentPurpose, *, granted: bool) -> Consent:
    """Record whether the actor agrees to a purpose. What was said last holds; saying it again adds nothing.

    Raises:
        AccountNotFound: erased a moment ago.
    """
    queries.lock_account(session, actor)
    last = queries.find_consent(session, actor, purpose)
    if last is not None and last.granted == granted:
        return last
    said = _said(actor.customer_id, purpose, granted, ConsentSource.ACCOUNT)
    session.add(said)
    return said


def record_consents_of_new(session: Session, customer_id: int, consents: Mapping[ConsentPurpose, bool]) -> None:
    """Record what somebody agreed to, or not, when they registered."""
    session.add_all(
        _said(customer_id, purpose, granted, ConsentSource.REGISTRATION) for purpose, granted in consents.items()
    )


def _said(customer_id: int, purpose: ConsentPurpose, granted: bool, source: ConsentSource) -> Consent:
    return Consent(customer_id=customer_id, purpose=purpose, granted=granted, source=source, created_at=clock.now())
