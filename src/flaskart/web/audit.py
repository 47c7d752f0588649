"""What staff or an API key write leaves an entry in the audit log, or is not committed."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import g, request

from flaskart.kit.audit import Kind, Subject, journal_of, record
from flaskart.kit.db import Session
from flaskart.web.auth import is_audited
from flaskart.web.http import db

ACCOUNT = Kind("customer", frozenset())


@contextmanager
def transaction() -> Iterator[Session]:
    """Open the request's write transaction, without an `Idempotency-Key`: for operations that hand out secrets.

    What a key does for its owner where customers do it, too, is recorded here, under the operation's name.
    """
    with db().write() as session:
        if not is_audited():
            yield session
            return
        journal = journal_of(session)
        journal.request_id = g.request_id
        yield session
        if not journal.is_told and g.actor.key_id is not None:
            record(session, g.actor, str(request.endpoint), Subject(ACCOUNT, g.actor.customer_id))
        if not journal.is_told:
            raise AssertionError("a write of staff must be recorded in its transaction")
