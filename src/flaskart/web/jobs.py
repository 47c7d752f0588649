"""What the worker does for requests."""

from datetime import timedelta

from flaskart.kit.db import Session
from flaskart.kit.jobs import Handler, Payload
from flaskart.web import counters, idempotency


def forget_expired_keys(session: Session, _payload: Payload) -> None:
    idempotency.forget_expired_keys(session)


def forget_expired_counters(session: Session, _payload: Payload) -> None:
    counters.forget_expired_counters(session)


JOBS: dict[str, Handler] = {
    "web.forget_expired_counters": forget_expired_counters,
    "web.forget_expired_keys": forget_expired_keys,
}
PERIODIC = dict.fromkeys(JOBS, timedelta(hours=1))
