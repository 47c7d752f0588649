"""How often somebody may do something: each client its requests, and anybody tries at what only its owner should open.

Networks are IPv4 addresses and the /64 of IPv6 ones, which is what one customer of a provider has at least.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any

from limits import RateLimitItem

from flaskart.kit.errors import TooMany
from flaskart.kit.ids import random_uuid
from flaskart.web.counters import Counters, Full
from flaskart.web.kept import REQUEST_ID
from flaskart.web.problems import answer_shop_error
from flaskart.web.tokens import AccessTokens, InvalidToken

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_ADDRESS = 64  # characters of what a proxy calls an address
UNLIMITED = 2**62
# For so long after a success a network is one of the account's own.
KNOWN_SECONDS = 90 * 86_400


class TooManyRequests(TooMany):
    code = "too_many_requests"
    message = "Too many requests; wait a moment"


class TooManyAttempts(TooMany):
    code = "too_many_attempts"
    message = "Too many attempts; try again later"


class RequestLimit:
    """Counts the requests of each client, as a WSGI middleware, and tells how many are left.

    It stands before the kept answers, so it counts them as well. Headers: draft-ietf-httpapi-ratelimit-headers-10.
    """

    def __init__(self, app: "WSGIApplication", tokens: AccessTokens, rate: RateLimitItem, counters: Counters) -> None:
        self._app = app
        self._tokens = tokens
        self._counters = counters
        self._amount, self._seconds = rate.amount, rate.get_expiry()
        self._policy = ("RateLimit-Policy", f'"requests";q={self._amount};w={self._seconds}')

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        counted = self._counters.add([self._client_of(environ)], self._amount, self._seconds)
        left = 0 if isinstance(counted, Full) else self._amount - counted.count
        state = ("RateLimit", f'"requests";r={left};t={counted.seconds}')

        def answer(status: str, headers: list[tuple[str, str]], *failure: Any) -> Any:
            return start_response(status, [*headers, self._policy, state], *failure)

        app = _refusal(counted.seconds) if isinstance(counted, Full) else self._app
        return app(environ, answer)

    def _client_of(self, environ: "WSGIEnvironment") -> str:
        """Return the customer whom a genuine token names, or else the network: made-up tokens win nobody anything."""
        scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if token and scheme.lower() == "bearer":
            try:
                return f"customer {self._tokens.read(token.strip())[0]}"
            except InvalidToken:
                pass
        return network_of(environ.get("REMOTE_ADDR", ""))


@dataclass(frozen=True, slots=True)
class Guard:
    """Something that is tried. Failures are counted, or every try where a success costs something as well.

    `times` multiplies how many there may be.
    """

    name: str
    counts_every_try: bool = False
    times: int = 1


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try under way: the counters it stands on, of a network and of an account, and the mark of a known network."""

    of_network: Sequence[str]
    of_account: Sequence[str]
    known: str | None


class Attempts:
    """Counts tries before their outcome is known, so that tries at the same moment cannot be more than there may be.

    Strangers share one counter for each account and one for each network. A network from which an account was entered
    before has a counter for that account of its own, which no stranger elsewhere can fill.
    """

    def __init__(self, rate: RateLimitItem, counters: Counters) -> None:
        self._amount, self._seconds = rate.amount, rate.get_expiry()
        self._counters = counters

    def start(self, guard: Guard, network: str, account: str | None) -> Attempt:
        """Count a try.

        Raises:
            TooManyAttempts: there were too many lately; this one is not counted.
        """
        attempt = self._attempt(guard, network, account)
        keys = [*attempt.of_network, *attempt.of_account]
        counted = self._counters.add(keys, self._amount * guard.times, self._seconds)
        if isinstance(counted, Full):
            raise TooManyAttempts(retry_after_seconds=counted.seconds)
        return attempt

    def cancel(self, attempt: Attempt) -> None:
        """End a try that neither failed nor succeeded."""
        self._counters.take_back([*attempt.of_network, *attempt.of_account])

    def succeed(self, attempt: Attempt) -> None:
        """End a try that was no failure, and forget those at the same account.

        The network's stay: else an account of one's own would be enough to try others for ever.
        """
        self._counters.take_back(attempt.of_network, forget=attempt.of_account)
        if attempt.known is not None:
            self._counters.add([attempt.known], UNLIMITED, KNOWN_SECONDS)

    def trust(self, guard: Guard, network: str, account: str) -> None:
        """Count a network as the account's own, whose owner has proved from there to be who they are."""
        self._counters.add([_key(guard, "known", account, network)], UNLIMITED, KNOWN_SECONDS)

    def _attempt(self, guard: Guard, network: str, account: str | None) -> Attempt:
        of_network = [_key(guard, "network", network)]
        if account is None:
            return Attempt(of_network, [], None)
        of_account = [_key(guard, "account", account)]
        if guard.counts_every_try:
            return Attempt(of_network, of_account, None)
        known = _key(guard, "known", account, network)
        if self._counters.is_counted(known):
            return Attempt([], [_key(guard, "own network", account, network)], None)
        return Attempt(of_network, of_account, known)


@lru_cache(maxsize=4_096)
def network_of(address: str) -> str:
    """Return the network of a client's address, which some proxies give with a port; what is no address, as it is."""
    host = address
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        parsed = ip_address(host)
    except ValueError:
        return address[:MAX_ADDRESS]
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Network((int(parsed), 64), strict=False))


def _key(guard: Guard, *parts: str) -> str:
    return "\0".join((guard.name, *parts))


def _refusal(seconds: int) -> "WSGIApplication":
    response = answer_shop_error(TooManyRequests(retry_after_seconds=seconds))
    response.headers[REQUEST_ID] = random_uuid()
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response
