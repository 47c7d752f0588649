"""Access tokens: short-lived JWTs (RFC 7519) signed with HS256, that name a sign-in."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

from cachetools import LRUCache
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import GuestProtocol, OctKey

from flaskart.kit import clock
from flaskart.kit.errors import Unauthenticated
from flaskart.kit.paging import MAX_ID

ISSUER = "flaskart"
AUDIENCE = "flaskart-api"
MAX_VERIFIED = 4_096
TYPE = "at+jwt"  # RFC 9068, section 2.1
_registry = jwt.JWTClaimsRegistry(
    iss={"essential": True, "value": ISSUER},
    aud={"essential": True, "value": AUDIENCE},
    sub={"essential": True},
    sid={"essential": True},
    exp={"essential": True},
)


class InvalidToken(Unauthenticated):
    code = "invalid_token"
    message = "The access token is not valid or has expired"


@dataclass(frozen=True, slots=True)
class Named:
    """What a verified token says; it is valid until the second `expires_at`."""

    customer_id: int
    session_id: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class AccessTokens:
    """Signs and reads access tokens. `seconds` is how long one is valid.

    The key named `key_id` signs, and each of `keys` is believed under its own name. A token's bytes never change, so a
    signature is verified once and what it named is kept for the next requests.
    """

    keys: dict[str, OctKey]
    key_id: str
    seconds: int
    _verified: LRUCache[str, Named] = field(default_factory=lambda: LRUCache(MAX_VERIFIED), repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    @classmethod
    def with_secret(cls, secret: bytes, seconds: int, old: Sequence[bytes] = ()) -> "AccessTokens":
        """Sign with a secret; believe what `old` ones have signed, too."""
        keys = {key_id(known): OctKey.import_key(known) for known in (secret, *old)}
        return cls(keys, key_id(secret), seconds)

    def sign(self, customer_id: int, session_id: str) -> str:
        issued_at = int(clock.now().timestamp())
        header = {"alg": "HS256", "typ": TYPE, "kid": self.key_id}
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(customer_id),
            "sid": session_id,
            "iat": issued_at,
            "exp": issued_at + self.seconds,
        }
        return jwt.encode(header, claims, self.keys[self.key_id], algorithms=["HS256"])

    def read(self, token: str) -> tuple[int, str]:
        """Return the customer's id and the id of the sign-in.

        Raises:
            InvalidToken: forged, altered, expired, of another type or signed with another key.
        """
        with self._lock:
            named = self._verified.get(token)
        if named is None:
            named = self._verify(token)
            with self._lock:
                self._verified[token] = named
        if named.expires_at <= clock.now().timestamp():
            raise InvalidToken
        return named.customer_id, named.session_id

    def _verify(self, token: str) -> Named:
        try:
            decoded = jwt.decode(token, self._named_key, algorithms=["HS256"])
            _registry.validate(decoded.claims)
            if decoded.header.get("typ") != TYPE:
                raise InvalidToken
            claims = decoded.claims
            named = Named(int(claims["sub"]), str(claims["sid"]), float(claims["exp"]))
        except (JoseError, ValueError, TypeError) as refused:
            raise InvalidToken from refused
        if not (0 < named.customer_id <= MAX_ID and named.session_id.isalnum()):
            raise InvalidToken
        return named

    def _named_key(self, token: GuestProtocol) -> OctKey:
        key = self.keys.get(str(token.headers().get("kid")))
        if key is None:
            raise InvalidToken
        return key


def key_id(secret: bytes) -> str:
    """Return the name of a secret's key, which stands in every token that it signed."""
    return hashlib.sha256(secret).hexdigest()[:8]
