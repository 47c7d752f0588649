"""What the worker does for accounts."""

from datetime import timedelta

from flaskart.accounts import actions
from flaskart.kit.db import Session
from flaskart.kit.jobs import Handler, Payload


def forget_expired_sign_ins(session: Session, _payload: Payload) -> None:
    actions.forget_expired_sign_ins(session)


def forget_expired_flows(session: Session, _payload: Payload) -> None:
    actions.forget_expired_flows(session)


def forget_expired_mailed_tokens(session: Session, _payload: Payload) -> None:
    actions.forget_expired_mailed_tokens(session)


JOBS: dict[str, Handler] = {
    "accounts.forget_expired_flows": forget_expired_flows,
    "accounts.forget_expired_mailed_tokens": forget_expired_mailed_tokens,
    "accounts.forget_expired_sign_ins": forget_expired_sign_ins,
}
PERIODIC = dict.fromkeys(JOBS, timedelta(hours=1))
