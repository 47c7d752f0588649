"""Secrets that have to be read again, sealed before they are stored: the database alone does not tell them."""

import base64
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from flaskart.kit.errors import OperatorError


class SealedByAnotherKey(OperatorError):
    """None of the shop's secrets opens what is stored."""


class Seals:
    """Seals with the shop's secret, opens with that or an older one (Fernet: AES-128-CBC and HMAC-SHA256)."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        """Take the shop's secrets, the current one first."""
        self._ring = MultiFernet([Fernet(_derived(secret)) for secret in secrets])
        self._current = Fernet(_derived(secrets[0]))

    def seal(self, text: str) -> str:
        return self._current.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Return what was sealed.

        Raises:
            SealedByAnotherKey: with a secret that is not among these.
        """
        try:
            return self._ring.decrypt(sealed).decode()
        except InvalidToken as unreadable:
            raise SealedByAnotherKey("a sealed secret cannot be opened: the key it needs is gone") from unreadable

    def is_current(self, sealed: str) -> bool:
        """Tell whether the current secret opens it; else it should be sealed anew before older ones are dropped."""
        try:
            self._current.decrypt(sealed)
        except InvalidToken:
            return False
        return True


def _derived(secret: bytes) -> bytes:
    """Return a key for nothing but sealing, so that no secret has two uses (RFC 5869)."""
    return base64.urlsafe_b64encode(HKDF(SHA256(), 32, salt=None, info=b"flaskart sealed secrets").derive(secret))
