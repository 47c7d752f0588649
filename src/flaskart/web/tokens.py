"""Access tokens: short-lived JWTs (RFC 7519) signed with HS256, that name a sign-in."""

import hashlib
from dataclasses import dataclass

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from flaskart.kit import clock
from flaskart.kit.errors import Unauthenticated
from flaskart.kit.paging import MAX_ID

ISSUER = "flaskart"
TYPE = "at+jwt"  # RFC 9068, section 2.1
_registry = jwt.JWTClaimsRegistry(
    iss={"essential": True, "value": ISSUER},
    sub={"essential": True},
    sid={"essential": True},
    exp={"essential": True},
)


class InvalidToken(Unauthenticated):
    code = "invalid_token"
    message = "The access token is not valid or has expired"


@dataclass(frozen=True, slots=True)
class AccessTokens:
    """Signs and reads access tokens. `seconds` is how long one is valid."""

    key: OctKey
    key_id: str
    seconds: int

    @classmethod
    def with_secret(cls, secret: bytes, seconds: int) -> "AccessTokens":
        return cls(OctKey.import_key(secret), hashlib.sha256(secret).hexdigest()[:8], seconds)

    def sign(self, customer_id: int, session_id: str) -> str:
        issued_at = int(clock.now().timestamp())
        header = {"alg": "HS256", "typ": TYPE, "kid": self.key_id}
        claims = {
            "iss": ISSUER,
            "sub": str(customer_id),
            "sid": session_id,
            "iat": issued_at,
            "exp": issued_at + self.seconds,
        }
        return jwt.encode(header, claims, self.key, algorithms=["HS256"])

    def read(self, token: str) -> tuple[int, str]:
        """Return the customer's id and the id of the sign-in.

        Raises:
            InvalidToken: forged, altered, expired, of another type or signed with another key.
        """
        try:
            decoded = jwt.decode(token, self.key, algorithms=["HS256"])
            _registry.validate(decoded.claims)
            if decoded.header.get("typ") != TYPE or decoded.header.get("kid") != self.key_id:
                raise InvalidToken
            customer_id, session_id = int(decoded.claims["sub"]), str(decoded.claims["sid"])
            if not (0 < customer_id <= MAX_ID and session_id.isalnum()):
                raise InvalidToken
            return customer_id, session_id
        except (JoseError, ValueError, TypeError) as refused:
            raise InvalidToken from refused
