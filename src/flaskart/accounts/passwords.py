"""Passwords: which ones are refused, and Argon2id at the cost OWASP recommends (m=19456, t=2, p=1)."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from flaskart.accounts.models import fold

MIN_LENGTH = 8
MAX_LENGTH = 1_024
MIN_TELLING_NAME = 4  # a shorter name is part of too many good passwords

_hasher = PasswordHasher(memory_cost=19_456, time_cost=2, parallelism=1)


def hash_password(password: str) -> str:
    return _hasher.hash(password)


def is_password(password_hash: str | None, password: str) -> bool:
    """Verify in the same time whether there is a hash or not, so that nobody learns which accounts exist.

    An account without a password, whose hash is empty, is opened by none.
    """
    try:
        _hasher.verify(password_hash or _hash_of_nobody(), password)
    except VerifyMismatchError:
        return False
    return bool(password_hash)


def is_outdated(password_hash: str) -> bool:
    """Tell a hash of weaker parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


def is_common(password: str) -> bool:
    """Tell a password that attackers try first, whatever the case of its letters."""
    return fold(password) in _common_passwords()


def is_like_name(password: str, *names: str) -> bool:
    """Tell a password that is, or contains, a name of its account."""
    folded = fold(password)
    return any(folded == fold(name) or (len(name) >= MIN_TELLING_NAME and fold(name) in folded) for name in names)


@cache
def _hash_of_nobody() -> str:
    return _hasher.hash("a password that no account has")


@cache
def _common_passwords() -> frozenset[str]:
    """Return some 11,600 passwords of breaches that are long enough to be chosen here; read when first needed."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415 - 25 ms that only who needs it should wait

    return frozenset(word for word in FREQUENCY_LISTS["passwords"] if len(word) >= MIN_LENGTH)
