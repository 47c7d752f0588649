"""One's own second factor: enrol it, renew its recovery codes, turn it off."""

from flask import Response

from flaskart.accounts import actions, queries
from flaskart.accounts.errors import (
    AccountNotFound,
    SecondFactorEnrolled,
    SecondFactorMissing,
    WrongCode,
    WrongPassword,
)
from flaskart.accounts.schemas import (
    CurrentPassword,
    Done,
    PasswordAndCode,
    RecoveryCodes,
    SecondFactorBegun,
    SecondFactorCode,
    SecondFactorShown,
)
from flaskart.kit.actor import Actor
from flaskart.kit.slots import Overloaded
from flaskart.web.attempts import SECOND_FACTOR, attempt
from flaskart.web.auth import before_second_factor, person
from flaskart.web.http import db, shop, show
from flaskart.web.idempotency import writing
from flaskart.web.limits import TooManyAttempts
from flaskart.web.openapi import WITHOUT_IDEMPOTENCY, answers, door

api = door("second_factor", __name__, "/account/second-factor", "account", "One's own account.")


@api.get("", responses=answers(SecondFactorShown))
@before_second_factor
@person
def view_second_factor(actor: Actor) -> Response:
    """View whether one has a second factor, and how many recovery codes are left."""
    with db().read() as session:
        left = queries.count_recovery_codes(session, actor)
    return show(SecondFactorShown(is_enrolled=actor.has_second_factor, recovery_codes_left=left))


@api.post(
    "",
    responses=answers(
        SecondFactorBegun, AccountNotFound, WrongPassword, SecondFactorEnrolled, Overloaded, TooManyAttempts, status=201
    ),
    openapi_extensions=WITHOUT_IDEMPOTENCY,
)
@before_second_factor
@person
def enrol_second_factor(actor: Actor, body: CurrentPassword) -> Response:
    """Make the secret of a second factor; it counts once a code of it was confirmed."""
    verified_hash = _verified_hash(actor, body.current_password)
    with attempt(SECOND_FACTOR, account=str(actor.customer_id)), db().write() as session:
        made = actions.enrol_second_factor(session, actor, verified_hash=verified_hash, seals=shop().seals)
    begun = SecondFactorBegun(msg="Confirm it with a code", secret=made.secret, otpauth_uri=made.otpauth_uri)
    return show(begun, 201)


@api.post(
    "/confirm",
    responses=answers(
        RecoveryCodes, AccountNotFound, WrongCode, SecondFactorEnrolled, SecondFactorMissing, TooManyAttempts
    ),
    openapi_extensions=WITHOUT_IDEMPOTENCY,
)
@before_second_factor
@person
def confirm_second_factor(actor: Actor, body: SecondFactorCode) -> Response:
    """Turn the second factor on with a first code; the other sign-ins end. Answers with ten recovery codes."""
    with attempt(SECOND_FACTOR, account=str(actor.customer_id)), db().write() as session:
        codes = actions.confirm_second_factor(session, actor, body.otp, seals=shop().seals)
    return show(RecoveryCodes(msg="Second factor enrolled", recovery_codes=codes))


@api.post(
    "/recovery-codes",
    responses=answers(
        RecoveryCodes, AccountNotFound, WrongPassword, WrongCode, SecondFactorMissing, Overloaded, TooManyAttempts
    ),
    openapi_extensions=WITHOUT_IDEMPOTENCY,
)
@person
def renew_recovery_codes(actor: Actor, body: PasswordAndCode) -> Response:
    """Replace the recovery codes: the old ones stop working."""
    verified_hash = _verified_hash(actor, body.current_password)
    with attempt(SECOND_FACTOR, account=str(actor.customer_id)), db().write() as session:
        codes = actions.renew_recovery_codes(session, actor, body.otp, verified_hash=verified_hash, seals=shop().seals)
    return show(RecoveryCodes(msg="Recovery codes renewed", recovery_codes=codes))


@api.post(
    "/disable",
    responses=answers(
        Done, AccountNotFound, WrongPassword, WrongCode, SecondFactorMissing, Overloaded, TooManyAttempts
    ),
)
@person
def disable_second_factor(actor: Actor, body: PasswordAndCode) -> Response:
    """Turn the second factor off."""
    verified_hash = _verified_hash(actor, body.current_password)
    with attempt(SECOND_FACTOR, account=str(actor.customer_id)), writing() as session:
        actions.disable_second_factor(session, actor, body.otp, verified_hash=verified_hash, seals=shop().seals)
        return show(Done(msg="Second factor disabled"))


def _verified_hash(actor: Actor, password: str) -> str | None:
    return actions.find_verified_hash(db(), actor, password, shop().hashing)
