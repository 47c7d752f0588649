"""A real OpenID Connect provider on loopback: real sockets, real keys, and whatever fault a test asks for."""

import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import urllib3
from flask import Flask, Response, redirect, request
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from werkzeug.serving import make_server

CLIENT_ID = "the-shop"
CLIENT_SECRET = "the secret of the shop"
REDIRECT_URI = "https://shop.example/signed-in"
Answer = Callable[[], Response]
Claims = dict[str, Any]


@cache
def rsa_key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


@cache
def ec_key(kid: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig"})


def person(name: str = "ada", **changed: object) -> Claims:
    """Return what a provider knows of somebody whose e-mail address it has verified."""
    known = {"sub": f"sub-of-{name}", "email": f"{name}@example.com", "email_verified": True}
    return known | {"preferred_username": name} | changed


@dataclass
class Sent:
    """What came with somebody to the authorization endpoint, and who they are."""

    query: Mapping[str, str]
    person: Claims


@dataclass
class Provider:
    """The provider, and how it is broken.

    `claims` replace those of the ID token: None leaves one out, a function gets the time. `instead` answers a path.
    """

    issuer: str = ""
    signing: RSAKey | ECKey = field(default_factory=lambda: rsa_key("first"))
    algorithm: str = "RS256"
    published: list[RSAKey | ECKey] = field(default_factory=lambda: [rsa_key("first"), ec_key("second")])
    person: Claims = field(default_factory=person)
    claims: Claims = field(default_factory=dict)
    userinfo: Claims = field(default_factory=dict)
    metadata: Claims = field(default_factory=dict)
    id_token: Callable[[Claims], str] | None = None
    instead: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    codes: dict[str, Sent] = field(default_factory=dict)

    def visit(self, authorization_url: str) -> dict[str, str]:
        """Sign in there as `person`, as a browser would, and return what is added to the redirect URI."""
        answer = urllib3.request("GET", authorization_url, redirect=False, retries=False, timeout=5.0)
        assert answer.status == 302, answer.data
        target, _, query = answer.headers["Location"].partition("?")
        assert target == REDIRECT_URI
        return dict(parse_qsl(query))

    def sign(self, claims: Claims) -> str:
        return jwt.encode({"alg": self.algorithm, "kid": self.signing.kid}, claims, self.signing)

    def app(self) -> Flask:
        app = Flask(__name__)
        app.add_url_rule("/.well-known/openid-configuration", view_func=self._describe)
        app.add_url_rule("/authorize", view_func=self._authorize)
        app.add_url_rule("/token", view_func=self._give_tokens, methods=["POST"])
        app.add_url_rule("/jwks", view_func=self._publish_keys)
        app.add_url_rule("/userinfo", view_func=self._tell)
        app.before_request(self._break)
        return app

    def _break(self) -> Response | None:
        self.asked.append(request.path)
        answer = self.instead.get(request.path)
        return answer() if answer else None

    def _describe(self) -> Claims:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "authorization_response_iss_parameter_supported": True,
        } | self.metadata

    def _authorize(self) -> Response:
        query = request.args.to_dict()
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT_ID
        assert query["code_challenge_method"] == "S256"
        assert query["redirect_uri"] == REDIRECT_URI
        assert "openid" in query["scope"].split()
        code = token_urlsafe(16)
        self.codes[code] = Sent(query, self.person)
        added = {"code": code, "state": query["state"], "iss": self.issuer}
        return redirect(f"{REDIRECT_URI}?{urlencode(added)}")  # type: ignore[return-value]

    def _give_tokens(self) -> tuple[Claims, int] | Claims:
        form = request.form
        basic = request.headers.get("Authorization", "").removeprefix("Basic ")
        given = b64decode(basic).decode() if basic else f"{form.get('client_id')}:{form.get('client_secret')}"
        if given != f"{CLIENT_ID}:{CLIENT_SECRET}":
            return {"error": "invalid_client"}, 401
        sent = self.codes.pop(form["code"], None)
        challenge = urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if sent is None or challenge != sent.query["code_challenge"] or form["redirect_uri"] != REDIRECT_URI:
            return {"error": "invalid_grant"}, 400
        access_token = token_urlsafe(16)
        now = int(time.time())
        half = sha256(access_token.encode()).digest()[:16]
        claims = sent.person | {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": sent.query["nonce"],
            "at_hash": urlsafe_b64encode(half).rstrip(b"=").decode(),
        }
        changed = {name: value(now) if callable(value) else value for name, value in self.claims.items()}
        claims = {name: value for name, value in (claims | changed).items() if value is not None}
        id_token = (self.id_token or self.sign)(claims)
        return {"access_token": access_token, "token_type": "Bearer", "id_token": id_token}

    def _publish_keys(self) -> Claims:
        return {"keys": [key.as_dict(private=False) for key in self.published]}

    def _tell(self) -> Claims:
        assert request.headers["Authorization"].startswith("Bearer ")
        return self.userinfo


@contextmanager
def providing() -> Iterator[Provider]:
    """Run a provider until the block ends."""
    provider = Provider()
    server = make_server("127.0.0.1", 0, provider.app(), threaded=True)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=[0.02])
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def providers_file(folder: Path, issuer: str, *, timeout_seconds: float = 5, second_issuer: str | None = None) -> Path:
    """Write the file of a shop that lets people in from one provider, or from two."""
    text = f"redirect_uris = ['{REDIRECT_URI}']\nallow_http_on_loopback = true\ntimeout_seconds = {timeout_seconds}\n"
    for name, url in (("loop", issuer), ("other", second_issuer)):
        if url is not None:
            text += f"[providers.{name}]\ndisplay_name = 'Loopback'\nissuer = '{url}'\n"
            text += f"client_id = '{CLIENT_ID}'\nclient_secret = '{CLIENT_SECRET}'\n"
    path = folder / "oidc.toml"
    path.write_text(text)
    return path


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))
