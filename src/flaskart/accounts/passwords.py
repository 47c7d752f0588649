"""Password hashing: Argon2id at the cost OWASP recommends (Password Storage Cheat Sheet: m=19456, t=2, p=1)."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

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


@cache
def _hash_of_nobody() -> str:
    return _hasher.hash("a password that no account has")
