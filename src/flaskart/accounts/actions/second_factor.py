"""The second factor: time-based one-time passwords (RFC 6238), and recovery codes for whoever lost theirs."""

from dataclasses import dataclass

import pyotp
from pyotp.utils import strings_equal
from sqlalchemy import delete

from flaskart.accounts import queries
from flaskart.accounts.actions.revoking import revoke_sign_ins_of
from flaskart.accounts.errors import SecondFactorEnrolled, SecondFactorMissing, WrongCode, WrongPassword
from flaskart.accounts.models import Customer, RecoveryCode
from flaskart.kit import clock
from flaskart.kit.actor import Actor
from flaskart.kit.db import Session
from flaskart.kit.ids import random_code
from flaskart.kit.seals import Seals

ISSUER = "Flaskart"
RECOVERY_CODES = 10
RECOVERY_CODE_LENGTH = 16  # 80 random bits: no slow hash is needed to store them
STEP_SECONDS = 30
# Read aloud or copied by hand, these are what they look like (Crockford's base 32).
_READ_AS = str.maketrans("OIL", "011", "- ")


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The secret of a second factor, for typing and as the URI that apps read from a QR code. Shown once."""

    secret: str
    otpauth_uri: str


def enrol_second_factor(session: Session, actor: Actor, *, verified_hash: str | None, seals: Seals) -> Enrolment:
    """Make the secret of a second factor, which counts once a code of it was given. May be repeated until then.

    `verified_hash` is what `find_verified_hash` found.

    Raises:
        WrongPassword: nothing was verified, or the password has changed since.
        SecondFactorEnrolled: there is one that counts.
    """
    customer = _proved(session, actor, verified_hash)
    if customer.second_factor_at is not None:
        raise SecondFactorEnrolled
    secret = pyotp.random_base32()
    customer.totp_secret = seals.seal(secret)
    customer.totp_used_step = None
    return Enrolment(secret, pyotp.TOTP(secret).provisioning_uri(name=customer.email, issuer_name=ISSUER))


def confirm_second_factor(session: Session, actor: Actor, code: str, *, seals: Seals) -> list[str]:
    """Turn the second factor on with a first code of it, end the other sign-ins, and return the recovery codes.

    Raises:
        SecondFactorEnrolled: it is on.
        SecondFactorMissing: no secret was made.
        WrongCode: it is not of this secret and this moment.
    """
    customer = queries.lock_account(session, actor)
    if customer.second_factor_at is not None:
        raise SecondFactorEnrolled
    if customer.totp_secret is None:
        raise SecondFactorMissing
    if not _use_one_time_password(customer, code, seals):
        raise WrongCode
    customer.second_factor_at = clock.now()
    revoke_sign_ins_of(session, customer.id, but=actor.session_id)
    return _make_recovery_codes(session, customer)


def renew_recovery_codes(
    session: Session, actor: Actor, code: str, *, verified_hash: str | None, seals: Seals
) -> list[str]:
    """Replace all recovery codes.

    Raises:
        WrongPassword: nothing was verified, or the password has changed since.
        SecondFactorMissing: there is none.
        WrongCode: not right, or used before.
    """
    return _make_recovery_codes(session, _proved_twice(session, actor, code, verified_hash, seals))


def disable_second_factor(
    session: Session, actor: Actor, code: str, *, verified_hash: str | None, seals: Seals
) -> None:
    """Turn one's second factor off.

    Raises:
        WrongPassword: nothing was verified, or the password has changed since.
        SecondFactorMissing: there is none.
        WrongCode: not right, or used before.
    """
    forget_second_factor(session, _proved_twice(session, actor, code, verified_hash, seals))


def use_code(session: Session, customer: Customer, code: str, seals: Seals) -> bool:
    """Tell whether this is a code of the account, a one-time password or a recovery code, and use it up.

    The account is locked, so that of equal codes at the same moment one is right.
    """
    if _use_one_time_password(customer, code, seals):
        return True
    own = RecoveryCode.customer_id == customer.id
    same = delete(RecoveryCode).where(own, RecoveryCode.code_hash == _hash_recovery_code(code))
    return session.execute(same.returning(RecoveryCode.id)).first() is not None


def seal_anew(session: Session, seals: Seals) -> int:
    """Seal with the current secret whatever an older one sealed; return how many there were."""
    outdated = [
        customer for customer in queries.lock_sealed(session) if not seals.is_current(customer.totp_secret or "")
    ]
    for customer in outdated:
        customer.totp_secret = seals.seal(seals.open(customer.totp_secret or ""))
    return len(outdated)


def _use_one_time_password(customer: Customer, code: str, seals: Seals) -> bool:
    """Take a code of this step or of one beside it, since clocks differ, but none of a step that was used."""
    totp = pyotp.TOTP(seals.open(customer.totp_secret or ""), interval=STEP_SECONDS)
    this_step = int(clock.now().timestamp()) // STEP_SECONDS
    for step in (this_step - 1, this_step, this_step + 1):
        if step > (customer.totp_used_step or 0) and strings_equal(totp.generate_otp(step), code):
            customer.totp_used_step = step
            return True
    return False


def _proved(session: Session, actor: Actor, verified_hash: str | None) -> Customer:
    customer = queries.lock_account(session, actor)
    if customer.password_hash != verified_hash:
        raise WrongPassword
    return customer


def _proved_twice(session: Session, actor: Actor, code: str, verified_hash: str | None, seals: Seals) -> Customer:
    customer = _proved(session, actor, verified_hash)
    if customer.second_factor_at is None:
        raise SecondFactorMissing
    if not use_code(session, customer, code, seals):
        raise WrongCode
    return customer


def forget_second_factor(session: Session, customer: Customer) -> None:
    customer.totp_secret = customer.totp_used_step = customer.second_factor_at = None
    session.execute(delete(RecoveryCode).where(RecoveryCode.customer_id == customer.id))


def _make_recovery_codes(session: Session, customer: Customer) -> list[str]:
    session.execute(delete(RecoveryCode).where(RecoveryCode.customer_id == customer.id))
    codes = [random_code(RECOVERY_CODE_LENGTH) for _ in range(RECOVERY_CODES)]
    session.add_all([RecoveryCode(customer_id=customer.id, code_hash=_hash_recovery_code(code)) for code in codes])
    return ["-".join(code[place : place + 4] for place in range(0, len(code), 4)) for code in codes]


def _hash_recovery_code(code: str) -> str:
    return queries.hash_token(code.upper().translate(_READ_AS))
