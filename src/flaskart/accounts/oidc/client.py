"""The talk with one provider: where to send people, what their code is worth, and whether the answer is genuine.

OpenID Connect Core 1.0, with PKCE (RFC 7636) and the issuer in the callback (RFC 9207).
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import BoundedSemaphore
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import JWKRegistry, KeySet
from joserfc.jws import JWSRegistry
from pydantic import BaseModel, ValidationError

from flaskart.accounts.errors import CodeRefused, IdTokenRefused, IssuerMixedUp, ProviderFailed
from flaskart.accounts.oidc.claims import Identity, identity_of
from flaskart.accounts.oidc.providers import DISCOVERY, Provider, is_trustworthy
from flaskart.accounts.oidc.transport import Reply, Trouble, ask
from flaskart.kit import clock

# Signed with a private key, so that what everybody may read, the provider's public key, cannot sign.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
KEY_TYPES = ("RSA", "EC")
LEEWAY_SECONDS = 60
KEPT_SECONDS = 3_600
# Anybody can send a token with an unknown key id; the provider is asked for its keys so often at most.
REFETCH_SECONDS = 30
WAIT_SECONDS = 1


class Metadata(BaseModel):
    """What a provider says about itself (OpenID Connect Discovery 1.0, section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


@dataclass(frozen=True, slots=True)
class Invitation:
    """Where somebody signs in at the provider. `flow_token` is for who started it alone; `state` comes back."""

    authorization_url: str
    state: str
    flow_token: str = field(repr=False)


class Client:
    """The shop as a client of one provider."""

    def __init__(
        self,
        name: str,
        provider: Provider,
        *,
        timeout_seconds: float,
        is_http_on_loopback_allowed: bool,
        talks: BoundedSemaphore,
    ) -> None:
        self.name = name
        self._provider = provider
        self._timeout_seconds = timeout_seconds
        self._is_http_on_loopback_allowed = is_http_on_loopback_allowed
        self._talks = talks
        self._metadata: tuple[int, Metadata] | None = None
        self._keys: tuple[int, KeySet] | None = None

    def invite(self, redirect_uri: str) -> Invitation:
        """Make up a sign-in and tell where it happens.

        Raises:
            ProviderFailed: it does not say where.
        """
        metadata = self._described()
        state, flow_token = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        url = prepare_grant_uri(
            metadata.authorization_endpoint,
            client_id=self._provider.client_id,
            response_type="code",
            redirect_uri=redirect_uri,
            scope=list(self._provider.scopes),
            state=state,
            nonce=_derived(flow_token, "nonce"),
            code_challenge=create_s256_code_challenge(_derived(flow_token, "code_verifier")),
            code_challenge_method="S256",
        )
        return Invitation(str(url), state, flow_token)

    def check_issuer(self, issuer: str | None) -> None:
        """See that the callback is this provider's, where it says whose it is (RFC 9207).

        Raises:
            IssuerMixedUp: it is another one's, or does not say though the provider always does.
            ProviderFailed: it does not describe itself.
        """
        metadata = self._described()
        if issuer is None and not metadata.authorization_response_iss_parameter_supported:
            return
        if issuer != metadata.issuer:
            raise IssuerMixedUp

    def identify(self, code: str, *, redirect_uri: str, flow_token: str) -> Identity:
        """Exchange the code of a callback for who has signed in.

        Raises:
            CodeRefused: the provider does not know the code, or it was used, or belongs to another sign-in.
            IdTokenRefused: what the provider says about the person is not proved.
            ProviderFailed: it does not answer, or not as it should.
        """
        metadata = self._described()
        with self._talk() as until:
            tokens = self._exchange(metadata, code, redirect_uri, flow_token, until)
            try:
                claims = self._verified(metadata, tokens, _derived(flow_token, "nonce"), until)
            except (JoseError, ValueError, TypeError, KeyError) as refused:
                raise IdTokenRefused from refused
            if "email" not in claims and metadata.userinfo_endpoint is not None:
                claims = _about(metadata.userinfo_endpoint, tokens, str(claims["sub"]), until) | claims
        return identity_of(self.name, claims)

    @contextmanager
    def _talk(self) -> Iterator[float]:
        """Yield the moment by which the provider must have said everything."""
        if not self._talks.acquire(timeout=WAIT_SECONDS):
            raise ProviderFailed from Trouble("too many talks with providers at once")
        try:
            yield monotonic() + self._timeout_seconds
        except Trouble as trouble:
            raise ProviderFailed from trouble
        finally:
            self._talks.release()

    def _described(self) -> Metadata:
        if self._metadata is None or self._metadata[0] + KEPT_SECONDS < _now():
            with self._talk() as until:
                self._metadata = (_now(), self._discover(until))
        return self._metadata[1]

    def _discover(self, until: float) -> Metadata:
        url = self._provider.discovery_url
        try:
            metadata = Metadata.model_validate(_successful(ask(url, until=until)).members)
        except ValidationError as invalid:
            raise Trouble(f"{url} lacks {invalid.errors()[0]['loc']}") from None
        if metadata.issuer.rstrip("/") != url.removesuffix(DISCOVERY):
            raise Trouble(f"{url} describes another issuer")
        endpoints = (metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri)
        for endpoint in (*endpoints, *filter(None, [metadata.userinfo_endpoint])):
            if not is_trustworthy(endpoint, is_http_on_loopback_allowed=self._is_http_on_loopback_allowed):
                raise Trouble(f"{url} names an endpoint that is not https")
        return metadata

    def _exchange(
        self, metadata: Metadata, code: str, redirect_uri: str, flow_token: str, until: float
    ) -> dict[str, Any]:
        verifier = _derived(flow_token, "code_verifier")
        form = prepare_token_request("authorization_code", code=code, redirect_uri=redirect_uri, code_verifier=verifier)
        methods = metadata.token_endpoint_auth_methods_supported
        method = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
        auth = ClientAuth(self._provider.client_id, self._provider.client_secret.get_secret_value(), method)
        url, headers, form = auth.prepare("POST", metadata.token_endpoint, {}, form)
        reply = ask(url, until=until, headers=headers, form=form)
        if reply.members.get("error") == "invalid_grant":
            raise CodeRefused
        return _successful(reply).members

    def _verified(self, metadata: Metadata, tokens: dict[str, Any], nonce: str, until: float) -> dict[str, Any]:
        id_token, access_token = tokens.get("id_token"), tokens.get("access_token")
        if not isinstance(id_token, str) or not isinstance(access_token, str | None):
            raise Trouble("the token endpoint gave no id_token")
        try:
            token = _signed_by(self._published(metadata, until), id_token)
        except InvalidKeyIdError:
            token = _signed_by(self._published(metadata, until, kept_seconds=REFETCH_SECONDS), id_token)
        claims = CodeIDToken(
            token.claims,
            token.header,
            {
                "iss": {"essential": True, "value": metadata.issuer},
                "aud": {"essential": True, "value": self._provider.client_id},
            },
            {"nonce": nonce, "client_id": self._provider.client_id, "access_token": access_token},
        )
        claims.validate(now=_now(), leeway=LEEWAY_SECONDS)
        return dict(claims)

    def _published(self, metadata: Metadata, until: float, *, kept_seconds: int = KEPT_SECONDS) -> KeySet:
        """Return the provider's keys, not older than `kept_seconds`."""
        if self._keys is None or self._keys[0] + kept_seconds < _now():
            published = _successful(ask(metadata.jwks_uri, until=until)).members.get("keys")
            self._keys = (_now(), _key_set(published))
        return self._keys[1]


def _now() -> int:
    return int(clock.now().timestamp())


def _derived(flow_token: str, purpose: str) -> str:
    """Return a secret of a sign-in that only its flow token tells, so that the shop need not keep it."""
    digest = hmac.digest(flow_token.encode(), purpose.encode(), "sha256")
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def _successful(reply: Reply) -> Reply:
    if reply.status != HTTPStatus.OK:  # a redirect, which is not followed, is a failure too
        raise Trouble(f"answered {reply.status}")
    return reply


def _key_set(published: object) -> KeySet:
    if not isinstance(published, list):
        raise Trouble("the provider publishes no keys")
    usable = []
    for key in published:
        if isinstance(key, dict) and key.get("kty") in KEY_TYPES and key.get("use", "sig") == "sig":
            try:
                usable.append(JWKRegistry.import_key(key))
            except (JoseError, ValueError, TypeError, KeyError):
                continue  # one key that is not understood does not spoil the others
    if not usable:
        raise Trouble("the provider publishes no key that can be used")
    return KeySet(usable)


def _signed_by(keys: KeySet, id_token: str) -> jwt.Token:
    registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    return jwt.decode(id_token, keys, registry=registry)


def _about(userinfo_endpoint: str, tokens: dict[str, Any], subject: str, until: float) -> dict[str, Any]:
    """Return what the provider tells of a person only when asked (section 5.3)."""
    authorization = {"Authorization": f"Bearer {tokens.get('access_token')}"}
    claims = _successful(ask(userinfo_endpoint, until=until, headers=authorization)).members
    if claims.get("sub") != subject:
        raise Trouble(f"{urlsplit(userinfo_endpoint).path} tells of somebody else")
    return claims
