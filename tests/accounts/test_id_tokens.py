"""What a provider says is believed only when it is proved: signed, fresh, meant for this shop and this sign-in."""

import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import time_machine
from joserfc import jwt
from joserfc.jwk import OctKey

from flaskart.accounts.errors import IdTokenRefused, ProviderFailed
from flaskart.accounts.oidc.claims import Identity
from flaskart.accounts.oidc.client import Client
from flaskart.accounts.oidc.providers import read_providers
from flaskart.web.json import encode
from tests.accounts.oidc_provider import CLIENT_ID, REDIRECT_URI, Claims, Provider, ec_key, providers_file, rsa_key

ADA = Identity("loop", "sub-of-ada", "ada@example.com", "ada")


@pytest.fixture
def client(provider: Provider, tmp_path: Path) -> Client:
    return read_providers(providers_file(tmp_path, provider.issuer)).client("loop")


def identify(client: Client, provider: Provider) -> Identity:
    invitation = client.invite(REDIRECT_URI)
    callback = provider.visit(invitation.authorization_url)
    return client.identify(callback["code"], redirect_uri=REDIRECT_URI, flow_token=invitation.flow_token)


def unsigned(header: Claims, claims: Claims) -> str:
    parts = (urlsafe_b64encode(encode(part)).rstrip(b"=").decode() for part in (header, claims))
    return f"{'.'.join(parts)}."


def signed_with_the_public_key(claims: Claims) -> str:
    """Key confusion: the key everybody can read, used as if it were a shared secret."""
    header = {"alg": "HS256", "kid": "first", "typ": "JWT"}
    signed = unsigned(header, claims)[:-1]
    signature = hmac.digest(rsa_key("first").as_pem(private=False), signed.encode(), "sha256")
    return f"{signed}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def in_seconds(seconds: int) -> Callable[[int], int]:
    return lambda now: now + seconds


def test_a_proved_token_tells_who_it_is(client: Client, provider: Provider) -> None:
    assert identify(client, provider) == ADA


def test_a_key_of_an_elliptic_curve_will_do(client: Client, provider: Provider) -> None:
    provider.signing, provider.algorithm = ec_key("second"), "ES256"

    assert identify(client, provider) == ADA


@pytest.mark.parametrize(
    "changed",
    [
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"nonce": ["x"]},
        {"aud": "another shop"},
        {"aud": None},
        {"aud": ["another shop"]},
        {"aud": [CLIENT_ID, "another shop"]},  # without azp
        {"aud": [CLIENT_ID, "another shop"], "azp": "another shop"},
        {"azp": "another shop"},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"sub": None},
        {"sub": 7},
        {"exp": in_seconds(-61)},
        {"exp": None},
        {"exp": "tomorrow"},
        {"iat": in_seconds(+180)},
        {"iat": None},
        {"nbf": in_seconds(+180)},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"at_hash": 7},
    ],
)
def test_a_claim_that_is_not_right_is_refused(client: Client, provider: Provider, changed: Claims) -> None:
    provider.claims = changed

    with pytest.raises(IdTokenRefused):
        identify(client, provider)


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": [CLIENT_ID]},
        {"aud": [CLIENT_ID, "another shop"], "azp": CLIENT_ID},
        {"exp": in_seconds(-30)},
        {"iat": in_seconds(+30)},
        {"at_hash": None},
    ],
)
def test_what_the_standard_leaves_open_is_taken(client: Client, provider: Provider, changed: Claims) -> None:
    provider.claims = changed

    assert identify(client, provider) == ADA


FORGED: dict[str, Callable[[Claims], Any]] = {
    "alg none": lambda claims: unsigned({"alg": "none"}, claims),
    "alg none, named key": lambda claims: unsigned({"alg": "none", "kid": "first"}, claims),
    "HS256 with the public key": signed_with_the_public_key,
    "another key under the same id": lambda claims: jwt.encode(
        {"alg": "RS256", "kid": "first"}, claims, rsa_key("of an attacker")
    ),
    "an unknown key": lambda claims: jwt.encode({"alg": "RS256", "kid": "unknown"}, claims, rsa_key("of an attacker")),
    "a key brought along": lambda claims: jwt.encode(
        {"alg": "RS256", "kid": "unknown", "jwk": rsa_key("of an attacker").as_dict(private=False)},
        claims,
        rsa_key("of an attacker"),
    ),
    "no key named, of two": lambda claims: jwt.encode({"alg": "RS256"}, claims, rsa_key("first")),
    "a signature cut off": lambda claims: jwt.encode({"alg": "RS256", "kid": "first"}, claims, rsa_key("first"))[:-4],
    "not a token": lambda _claims: "a.b.c",
    "empty": lambda _claims: "",
    "not JSON": lambda _claims: unsigned({"alg": "RS256", "kid": "first"}, {})[:-1] + "AAAA.AAAA",
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_token_is_refused(client: Client, provider: Provider, name: str) -> None:
    provider.id_token = FORGED[name]

    with pytest.raises(IdTokenRefused):
        identify(client, provider)


@pytest.mark.parametrize("value", [None, 7, ["x"]])
def test_an_answer_without_a_token_is_a_failure(client: Client, provider: Provider, value: object) -> None:
    provider.id_token = lambda _claims: value  # type: ignore[assignment,return-value]

    with pytest.raises(ProviderFailed):
        identify(client, provider)


def test_a_token_with_one_byte_altered_is_refused(client: Client, provider: Provider) -> None:
    for place in ("header", "claims", "signature"):
        part = ("header", "claims", "signature").index(place)

        def altered(claims: Claims, part: int = part) -> str:
            parts = provider.sign(claims).split(".")
            parts[part] = parts[part][:10] + ("A" if parts[part][10] != "A" else "B") + parts[part][11:]
            return ".".join(parts)

        provider.id_token = altered

        with pytest.raises(IdTokenRefused):
            identify(client, provider)


def test_rotated_keys_are_fetched_when_an_unknown_one_signs(client: Client, provider: Provider) -> None:
    start = time.time()
    with time_machine.travel(start, tick=False) as clock:
        identify(client, provider)
        provider.signing, provider.published = rsa_key("of an attacker"), [rsa_key("of an attacker")]
        clock.shift(31)

        assert identify(client, provider) == ADA
        assert provider.asked.count("/jwks") == 2
        provider.signing = rsa_key("first")  # the old key is not believed any more
        clock.shift(31)
        with pytest.raises(IdTokenRefused):
            identify(client, provider)


def test_unknown_keys_do_not_make_the_shop_ask_again_and_again(client: Client, provider: Provider) -> None:
    identify(client, provider)
    provider.id_token = FORGED["an unknown key"]

    for _ in range(5):
        with pytest.raises(IdTokenRefused):
            identify(client, provider)

    assert provider.asked.count("/jwks") == 1
    assert provider.asked.count("/.well-known/openid-configuration") == 1


def test_a_published_key_that_is_not_understood_does_not_spoil_the_others(client: Client, provider: Provider) -> None:
    from flask import jsonify

    good = rsa_key("first").as_dict(private=False)
    keys = [{"kty": "PQ"}, {"kty": "RSA"}, {"kty": "EC", "crv": "P-256", "x": 1, "y": []}, 7, good]
    provider.instead["/jwks"] = lambda: jsonify(keys=keys)

    assert identify(client, provider) == ADA


def test_a_shared_secret_among_the_published_keys_is_no_key(client: Client, provider: Provider) -> None:
    from flask import jsonify

    secret = OctKey.import_key(b"x" * 32, {"kid": "shared"})
    provider.instead["/jwks"] = lambda: jsonify(keys=[secret.as_dict(), rsa_key("first").as_dict(private=False)])
    provider.id_token = lambda claims: jwt.encode({"alg": "HS256", "kid": "shared"}, claims, secret)

    with pytest.raises(IdTokenRefused):
        identify(client, provider)
