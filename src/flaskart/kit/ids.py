"""Random names for things that must not be guessed or counted."""

import secrets
import uuid

# Crockford's base 32 (https://www.crockford.com/base32.html): no I, L, O or U, so that it survives being read aloud.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def random_code(length: int) -> str:
    """Return `length` characters of five random bits each."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def random_uuid() -> str:
    return uuid.uuid4().hex
