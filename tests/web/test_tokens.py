"""Access tokens: which ones the shop believes."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from string import ascii_letters, digits

import pytest
import time_machine
from joserfc import jwt
from joserfc.jwk import RSAKey

from flaskart.web.tokens import AccessTokens
from tests.callers import Answer, Caller, Make
from tests.servers import SECRET

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HASHES = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}
SIGNING_INPUT = ascii_letters + digits + "-_"
REMOVED = object()


def test_a_token_names_its_sign_in_and_who_may_use_it_for_how_long(make: Make) -> None:
    with time_machine.travel(NOON, tick=False):
        alice = make.customer()

    header, claims = parts_of(alice)
    assert header == {"alg": "HS256", "typ": "at+jwt", "kid": hashlib.sha256(SECRET.encode()).hexdigest()[:8]}
    assert set(claims) == {"iss", "aud", "sub", "sid", "iat", "exp"}
    assert (claims["iss"], claims["aud"], claims["sub"]) == ("flaskart", "flaskart-api", str(alice.customer_id))
    assert (claims["iat"], claims["exp"]) == (NOON.timestamp(), NOON.timestamp() + 900)


def test_a_token_works_until_the_second_it_expires(make: Make) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        alice = make.customer()
        clock.move_to(NOON + timedelta(seconds=899))
        assert alice.get("/account").status == 200
        clock.move_to(NOON + timedelta(seconds=900))

        answer = alice.get("/account")

        assert_invalid(answer)


def test_a_token_made_by_hand_works_if_nothing_is_wrong_with_it(make: Make) -> None:
    alice = make.customer()

    answer = present(alice, signed(*parts_of(alice)))

    assert answer.status == 200


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE"])
def test_an_unsigned_token_is_refused(make: Make, algorithm: str) -> None:
    alice = make.customer()
    header, claims = parts_of(alice)
    unsigned = f"{encoded(header | {'alg': algorithm})}.{encoded(claims)}"
    signature = str(alice.token).rpartition(".")[2]

    assert_invalid(present(alice, f"{unsigned}."))
    assert_invalid(present(alice, unsigned))
    assert_invalid(present(alice, f"{unsigned}.{signature}"))


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_another_algorithm_is_refused_even_with_the_right_secret(make: Make, algorithm: str) -> None:
    alice = make.customer()
    header, claims = parts_of(alice)

    answer = present(alice, signed(header | {"alg": algorithm}, claims, algorithm=algorithm))

    assert_invalid(answer)


@pytest.mark.parametrize("named", ["RS256", "HS512", "none", "ES256", "dir", "", 1, None, ["HS256"]])
def test_the_algorithm_in_the_header_decides_nothing(make: Make, named: object) -> None:
    alice = make.customer()
    header, claims = parts_of(alice)

    answer = present(alice, signed(header | {"alg": named}, claims, algorithm="HS256"))

    assert_invalid(answer)


def test_a_key_pair_of_ones_own_signs_nothing(make: Make) -> None:
    alice = make.customer()
    header, claims = parts_of(alice)
    key = RSAKey.generate_key(2048)
    with_key = header | {"alg": "RS256", "jwk": key.as_dict(private=False)}

    assert_invalid(present(alice, jwt.encode(header | {"alg": "RS256"}, claims, key, algorithms=["RS256"])))
    assert_invalid(present(alice, jwt.encode(with_key, claims, key, algorithms=["RS256"])))


@pytest.mark.parametrize(
    "secret",
    [b"", b"another secret, which is long enough to sign with", SECRET.encode()[:-1], SECRET.upper().encode()],
)
def test_a_token_signed_with_another_secret_is_refused(make: Make, secret: bytes) -> None:
    alice = make.customer()
    header, claims = parts_of(alice)

    assert_invalid(present(alice, signed(header, claims, secret=secret)))


def test_a_token_of_another_shop_is_refused(make: Make) -> None:
    alice = make.customer()
    session_id = str(parts_of(alice)[1]["sid"])
    another = AccessTokens.with_secret(b"the secret of another shop, long enough to sign", seconds=900)

    assert_invalid(present(alice, another.sign(alice.customer_id, session_id)))


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("kid", REMOVED),
        ("kid", "00000000"),
        ("kid", ""),
        ("kid", None),
        ("kid", 0),
        ("typ", REMOVED),
        ("typ", "JWT"),
        ("typ", "AT+JWT"),
        ("typ", "rt+jwt"),
        ("typ", None),
        ("alg", REMOVED),
        ("crit", ["unknown"]),
    ],
)
def test_a_signed_header_that_is_not_ours_is_refused(make: Make, member: str, value: object) -> None:
    alice = make.customer()
    header, claims = parts_of(alice)

    assert_invalid(present(alice, signed(changed(header, member, value), claims)))


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("iss", REMOVED),
        ("iss", "somebody else"),
        ("iss", None),
        ("iss", ["flaskart"]),
        ("aud", REMOVED),
        ("aud", "flaskart"),
        ("aud", None),
        ("aud", ["another-api"]),
        ("sub", REMOVED),
        ("sub", ""),
        ("sub", "alice"),
        ("sub", None),
        ("sub", 1),
        ("sub", {}),
        ("sub", "0"),
        ("sub", "-1"),
        ("sub", "999"),
        ("sub", "9" * 30),
        ("sid", REMOVED),
        ("sid", ""),
        ("sid", None),
        ("sid", "unknown"),
        ("sid", "\0"),
        ("exp", REMOVED),
        ("exp", 0),
        ("exp", -1),
        ("exp", None),
        ("exp", "tomorrow"),
        ("exp", True),
        ("exp", []),
        ("nbf", 32_503_680_000),
        ("iat", 32_503_680_000),
    ],
)
def test_signed_claims_that_cannot_be_ours_are_refused(make: Make, member: str, value: object) -> None:
    alice = make.customer()
    header, claims = parts_of(alice)

    assert_invalid(present(alice, signed(header, changed(claims, member, value))))


def test_a_token_for_somebody_elses_sign_in_is_refused(make: Make) -> None:
    alice, bob = make.customer("alice"), make.customer("bob")
    header, claims = parts_of(alice)
    _, claims_of_bob = parts_of(bob)

    assert_invalid(present(alice, signed(header, claims | {"sid": claims_of_bob["sid"]})))
    assert_invalid(present(alice, signed(header, claims | {"sub": claims_of_bob["sub"]})))


def test_a_token_altered_in_any_one_character_is_refused(make: Make) -> None:
    alice = make.customer()
    token = str(alice.token)

    for position, character in enumerate(token):
        altered = SIGNING_INPUT[SIGNING_INPUT.find(character) - 1]
        answer = present(alice, token[:position] + altered + token[position + 1 :])

        assert_invalid(answer, f"with {altered} for {character} at {position}")


def test_the_last_character_has_one_spelling(make: Make) -> None:
    alice = make.customer()
    token = str(alice.token)

    for last in set(SIGNING_INPUT) - {token[-1]}:
        assert_invalid(present(alice, token[:-1] + last), f"with {last} for {token[-1]}")


@pytest.mark.parametrize(
    "presented",
    ["x", ".", "..", "...", "a.b.c", "{token}.", ".{token}", "{token}=", "{token}x", "{token}.x", "{token} x", "é.é.é"],
)
def test_what_is_not_a_token_is_refused(make: Make, presented: str) -> None:
    alice = make.customer()

    assert_invalid(present(alice, presented.format(token=alice.token)))


@pytest.mark.parametrize("part", [b"", b"nope", b"[]", b"1", b"null", b'"text"', b"\xff", b"{"])
def test_parts_that_are_no_json_objects_are_refused_even_when_signed(make: Make, part: bytes) -> None:
    alice = make.customer()
    header, claims = parts_of(alice)

    assert_invalid(present(alice, signed(part, claims)))
    assert_invalid(present(alice, signed(header, part)))


@pytest.mark.parametrize(
    "authorization",
    ["", " ", "Bearer", "Bearer ", "{token}", "Basic {token}", "Token {token}", "Bearer{token}", "Bearer:{token}"],
)
def test_without_a_bearer_token_nobody_is_signed_in(make: Make, authorization: str) -> None:
    alice = make.customer()

    answer = make.anyone().get("/account", Authorization=authorization.format(token=alice.token))

    assert_refused(answer, "unauthenticated", "Sign in to do this")


def test_without_an_authorization_header_nobody_is_signed_in(anyone: Caller) -> None:
    answer = anyone.get("/account")

    assert_refused(answer, "unauthenticated", "Sign in to do this")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_has_no_case(make: Make, scheme: str) -> None:
    alice = make.customer()

    answer = make.anyone().get("/account", Authorization=f"{scheme} {alice.token}")

    assert answer.status == 200


def test_a_token_anywhere_but_in_its_header_counts_for_nothing(make: Make) -> None:
    alice = make.customer()

    in_cookie = make.anyone().get("/account", Cookie=f"access_token={alice.token}")
    in_query = make.anyone().get(f"/account?access_token={alice.token}")

    assert (in_cookie.status, in_query.status) == (401, 401)


def test_the_right_to_run_the_shop_is_not_in_the_token(make: Make) -> None:
    alice = make.customer()
    product = {"name": "Mug", "price": 5}
    assert alice.post("/products", product).status == 403
    boss = make.staff()
    assert boss.put(f"/admin/staff/{alice.customer_id}/roles", {"roles": ["manager"]}).status == 200
    assert alice.post("/products", product).status == 201
    assert boss.put(f"/admin/staff/{alice.customer_id}/roles", {"roles": []}).status == 200

    answer = alice.post("/products", product)

    assert (answer.status, answer.json["code"], answer.json["permission"]) == (403, "forbidden", "catalog.write")


def present(caller: Caller, token: str) -> Answer:
    return Caller(caller.send, token).get("/account")


def assert_invalid(answer: Answer, why: str = "") -> None:
    assert_refused(answer, "invalid_token", "The access token is not valid or has expired", why)


def assert_refused(answer: Answer, code: str, detail: str, why: str = "") -> None:
    assert answer.status == 401, why
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json == {
        "type": f"urn:flaskart:problem:{code}",
        "title": "Unauthorized",
        "status": 401,
        "detail": detail,
        "code": code,
        "msg": detail,
    }


def parts_of(caller: Caller) -> tuple[dict[str, object], dict[str, object]]:
    """Return the header and the claims of a caller's token."""
    header, claims, _ = str(caller.token).split(".")
    return json.loads(base64.urlsafe_b64decode(header + "==")), json.loads(base64.urlsafe_b64decode(claims + "=="))


def changed(members: dict[str, object], name: str, value: object) -> dict[str, object]:
    others = {key: kept for key, kept in members.items() if key != name}
    return others if value is REMOVED else others | {name: value}


def signed(
    header: dict[str, object] | bytes,
    claims: dict[str, object] | bytes,
    *,
    secret: bytes = SECRET.encode(),
    algorithm: str = "HS256",
) -> str:
    """Sign with an HMAC, whatever the header says."""
    signing_input = f"{encoded(header)}.{encoded(claims)}"
    return f"{signing_input}.{encoded(hmac.digest(secret, signing_input.encode(), HASHES[algorithm]))}"


def encoded(part: dict[str, object] | bytes) -> str:
    content = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
