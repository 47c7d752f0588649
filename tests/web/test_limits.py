"""The limit of each client's requests: who is one client, what they are told, and what nobody gets around."""

from datetime import UTC, datetime

import pytest
import time_machine

from flaskart.web.limits import network_of
from tests.callers import Caller, Make, MakeWith

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def limited(make_with: MakeWith, requests: str = "3/minute", **settings: object) -> Make:
    return make_with(rate_limits="on", rate_limit_requests=requests, **settings)


def left(caller: Caller, **headers: str) -> str:
    """Return what an answer says about how many requests are left."""
    return caller.get("/healthz", **headers).headers["RateLimit"]


@time_machine.travel(NOON, tick=False)
def test_every_answer_tells_how_many_requests_are_left(make_with: MakeWith) -> None:
    anyone = limited(make_with, "5/minute").anyone()

    answers = [anyone.get("/healthz"), anyone.get("/nothing"), anyone.post("/healthz"), anyone.post("/auth/login", 1)]

    assert [answer.status for answer in answers] == [200, 404, 405, 422]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"requests";q=5;w=60'}
    assert [answer.headers["RateLimit"] for answer in answers] == [f'"requests";r={r};t=60' for r in (4, 3, 2, 1)]


def test_a_kept_answer_is_counted_too(make_with: MakeWith, make: Make) -> None:
    make.product("Mug")
    anyone = limited(make_with).anyone()

    answers = [anyone.get("/products") for _ in range(4)]

    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["RateLimit"].partition(";t")[0] for answer in answers] == [
        f'"requests";r={r}' for r in (2, 1, 0, 0)
    ]


def test_who_asks_too_often_waits_until_the_minute_is_over(make_with: MakeWith) -> None:
    anyone = limited(make_with).anyone()
    with time_machine.travel(NOON, tick=False) as now:
        for _ in range(3):
            assert anyone.get("/healthz").status == 200
        now.shift(10)

        refused = anyone.get("/healthz")

        assert refused.status == 429
        assert refused.json == {
            "type": "urn:flaskart:problem:too_many_requests",
            "title": "Too Many Requests",
            "status": 429,
            "detail": "Too many requests; wait a moment",
            "code": "too_many_requests",
            "msg": "Too many requests; wait a moment",
            "retry_after_seconds": 50,
        }
        assert refused.headers["Retry-After"] == "50"
        assert refused.headers["RateLimit"] == '"requests";r=0;t=50'
        assert refused.headers["RateLimit-Policy"] == '"requests";q=3;w=60'
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert refused.headers["X-Content-Type-Options"] == "nosniff"
        assert refused.headers["Cache-Control"] == "no-store"
        assert len(refused.headers["Request-Id"]) == 32
        now.shift(50)
        assert anyone.get("/healthz").status == 200


def test_a_refused_request_does_nothing(make_with: MakeWith) -> None:
    shop = limited(make_with, "1/minute")
    alice, mug = shop.customer(), shop.product()
    assert alice.get("/cart").status == 200
    before = shop.everything()

    assert alice.post("/cart", {"product_id": mug}).status == 429

    assert shop.everything() == before


def test_who_is_signed_in_is_counted_as_themselves_wherever_they_are(make_with: MakeWith) -> None:
    shop = limited(make_with, trusted_proxies=1)
    alice, bob = shop.customer("alice"), shop.customer("bob")

    of_alice = [alice.get("/cart", X_Forwarded_For=f"203.0.113.{n}").status for n in range(4)]
    of_bob = bob.get("/cart", X_Forwarded_For="203.0.113.1").status
    of_another = shop.anyone().get("/products", X_Forwarded_For="203.0.113.1").status

    assert (of_alice, of_bob, of_another) == ([200, 200, 200, 429], 200, 200)


def test_made_up_tokens_and_other_schemes_win_nobody_anything(make_with: MakeWith) -> None:
    anyone = limited(make_with).anyone()
    made_up = ["Bearer a", "Bearer b.c.d", "Basic YTpi", "Bearer"]

    statuses = [anyone.get("/healthz", Authorization=header).status for header in made_up]

    assert statuses == [200, 200, 200, 429]


def test_nobody_is_elsewhere_by_saying_so(make_with: MakeWith) -> None:
    anyone = limited(make_with).anyone()

    statuses = [anyone.get("/healthz", X_Forwarded_For=f"203.0.113.{n}").status for n in range(4)]

    assert statuses == [200, 200, 200, 429]


def test_behind_a_proxy_what_the_proxy_says_counts_and_nothing_before_it(make_with: MakeWith) -> None:
    anyone = limited(make_with, trusted_proxies=1).anyone()

    spoofed = [anyone.get("/healthz", X_Forwarded_For=f"10.0.0.{n}, 203.0.113.1").status for n in range(4)]
    another = anyone.get("/healthz", X_Forwarded_For="203.0.113.1, 203.0.113.2").status

    assert (spoofed, another) == ([200, 200, 200, 429], 200)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::1]:443", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("unknown", "unknown"),
        ("", ""),
        ("x" * 1_000, "x" * 64),
    ],
)
def test_a_network_is_an_ipv4_address_or_64_bits_of_an_ipv6_one(address: str, network: str) -> None:
    assert network_of(address) == network


def test_one_customer_of_a_provider_is_one_client(make_with: MakeWith) -> None:
    anyone = limited(make_with, trusted_proxies=1).anyone()

    statuses = [anyone.get("/healthz", X_Forwarded_For=f"2001:db8::{n}").status for n in range(4)]
    neighbour = anyone.get("/healthz", X_Forwarded_For="2001:db8:0:1::1").status

    assert (statuses, neighbour) == ([200, 200, 200, 429], 200)


def test_switched_off_nothing_is_counted_or_told(make_with: MakeWith) -> None:
    anyone = make_with(rate_limits="off", rate_limit_requests="1/minute", rate_limit_failures="1/minute").anyone()

    answers = [anyone.post("/auth/login", {"username": "alice", "password": "wrong horse"}) for _ in range(3)]

    assert [answer.status for answer in answers] == [401, 401, 401]
    assert {name for answer in answers for name in answer.headers if name.startswith("RateLimit")} == set()
