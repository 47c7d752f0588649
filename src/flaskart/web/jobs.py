"""What the worker does for requests."""

from datetime import timedelta

from flaskart.kit.db import Session
from flaskart.kit.jobs import Handler, Payload
from flaskart.web import idempotency


def forget_expired_keys(session: Session, _payload: Payload) -> None:
    idempotency.forget_expired_keys(session)


JOBS: dict[str, Handler] = {"web.forget_expired_keys": forget_expired_keys}
PERIODIC = {"web.forget_expired_keys": timedelta(hours=1)}
