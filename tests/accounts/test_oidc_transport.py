"""A provider that refuses, hangs, drips, lies or babbles is a failure in time, and nobody else's."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any

import pytest
import trustme
from flask import Response, jsonify, redirect
from werkzeug.serving import make_server

from flaskart.accounts.errors import CodeRefused, ProviderFailed
from flaskart.accounts.oidc.client import Client
from flaskart.accounts.oidc.providers import read_providers
from flaskart.accounts.oidc.transport import MAX_ANSWER_BYTES, Trouble, ask
from tests.accounts.oidc_provider import REDIRECT_URI, Provider, providers_file
from tests.accounts.social import SIGN_IN, Social
from tests.callers import Answer, MakeWith

TIMEOUT_SECONDS = 0.5
ENDPOINTS = ["/.well-known/openid-configuration", "/token", "/jwks"]


@pytest.fixture
def client(provider: Provider, tmp_path: Path) -> Client:
    file = providers_file(tmp_path, provider.issuer, timeout_seconds=TIMEOUT_SECONDS)
    return read_providers(file).client("loop")


@pytest.fixture
def released() -> Iterator[Event]:
    """Set when the test is over, so that what hangs may end."""
    event = Event()
    yield event
    event.set()


def go(client: Client, provider: Provider) -> None:
    """Sign in; the provider's own pages are visited as if nothing were wrong."""
    invitation = client.invite(REDIRECT_URI)
    callback = provider.visit(invitation.authorization_url)
    client.identify(callback["code"], redirect_uri=REDIRECT_URI, flow_token=invitation.flow_token)


BROKEN: dict[str, Callable[[], Response]] = {
    "an error": lambda: Response("{}", 500, content_type="application/json"),
    "no JSON": lambda: Response("<html>"),
    "nothing": lambda: Response(""),
    "a list": lambda: Response("[]"),
    "a number": lambda: Response("1"),
    "not UTF-8": lambda: Response(b'{"keys": "\xff"}'),
    "nested without end": lambda: Response('{"keys":' * 20_000),
    "an empty object": lambda: jsonify({}),
    "more than it takes": lambda: Response('{"x": "' + "x" * MAX_ANSWER_BYTES + '"}'),
    "a redirect": lambda: redirect("https://elsewhere.example/"),  # type: ignore[return-value,dict-item]
}


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("fault", BROKEN)
def test_what_is_no_answer_is_a_failure(client: Client, provider: Provider, path: str, fault: str) -> None:
    provider.instead[path] = BROKEN[fault]

    with pytest.raises(ProviderFailed):
        go(client, provider)


@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_provider_that_hangs_is_given_up(client: Client, provider: Provider, path: str, released: Event) -> None:
    provider.instead[path] = lambda: (released.wait(20), Response("{}"))[1]
    start = monotonic()

    with pytest.raises(ProviderFailed):
        go(client, provider)

    assert TIMEOUT_SECONDS <= monotonic() - start < 10 * TIMEOUT_SECONDS
    released.set()


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b""], ids=["body", "headers"])
def test_an_answer_that_drips_is_given_up(head: bytes, released: Event) -> None:
    """Each byte comes in time; all of them would not."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        thread = Thread(target=drip, args=[server, head, released])
        thread.start()
        start = monotonic()

        with pytest.raises(Trouble):
            ask(f"http://127.0.0.1:{port}/token", until=start + TIMEOUT_SECONDS)

        took = monotonic() - start
        released.set()
        thread.join()
    assert TIMEOUT_SECONDS <= took < 10 * TIMEOUT_SECONDS


def drip(server: socket.socket, head: bytes, released: Event) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(65_536)
        connection.sendall(head)
        try:
            while not released.wait(0.05):
                connection.sendall(b"H")
        except OSError:
            return


def test_a_provider_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    client = read_providers(providers_file(tmp_path, f"http://127.0.0.1:{port}")).client("loop")

    with pytest.raises(ProviderFailed):
        client.invite(REDIRECT_URI)


def test_a_time_that_is_over_is_not_waited_for(provider: Provider) -> None:
    with pytest.raises(Trouble):
        ask(f"{provider.issuer}/jwks", until=monotonic() - 1)

    assert provider.asked == []


@pytest.mark.parametrize(
    "lie",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://elsewhere.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"userinfo_endpoint": "http://169.254.169.254/"},
        {"token_endpoint": "https://user:password@elsewhere.example/"},
        {"token_endpoint": 7},
        {"jwks_uri": None},
        {"jwks_uri": "https://elsewhere.example:99999/"},
        {"jwks_uri": "https://[::1/"},
    ],
    ids=str,
)
def test_a_provider_that_describes_what_it_must_not_is_a_failure(
    client: Client, provider: Provider, lie: dict[str, Any]
) -> None:
    provider.metadata = lie

    with pytest.raises(ProviderFailed):
        client.invite(REDIRECT_URI)


def test_a_failure_is_not_remembered(client: Client, provider: Provider) -> None:
    provider.instead["/.well-known/openid-configuration"] = BROKEN["an error"]
    with pytest.raises(ProviderFailed):
        client.invite(REDIRECT_URI)
    del provider.instead["/.well-known/openid-configuration"]

    go(client, provider)


def test_a_secret_that_the_provider_does_not_know_is_its_failure_not_the_callers(
    client: Client, provider: Provider
) -> None:
    provider.instead["/token"] = lambda: Response('{"error": "invalid_client"}', 401)
    with pytest.raises(ProviderFailed):
        go(client, provider)

    provider.instead["/token"] = lambda: Response('{"error": "invalid_grant"}', 400)
    with pytest.raises(CodeRefused):
        go(client, provider)


def test_a_provider_may_want_the_secret_in_the_form(client: Client, provider: Provider) -> None:
    provider.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}

    go(client, provider)


def test_a_shop_answers_502_without_saying_why_and_logs_it_without_secrets(
    social: Social, caplog: pytest.LogCaptureFixture
) -> None:
    anyone = social.make.anyone()
    callback = social.come_back(social.start(anyone))
    social.provider.instead["/token"] = lambda: Response("my secret is out", 500)
    before = social.make.everything()

    refused = anyone.post(f"{SIGN_IN}/finish", callback)

    assert (refused.status, refused.json["code"]) == (502, "provider_failed")
    [line] = [record.getMessage() for record in caplog.records if record.name == "flaskart.app"]
    assert line == (
        f"provider_failed in request {refused.headers['Request-Id']}: "
        "127.0.0.1/token answered 500 with what is no JSON object"
    )
    after = social.make.everything()
    assert {name for name in after if after[name] != before[name]} == {"oidc_flow"}  # used up


def test_a_provider_that_hangs_holds_two_requests_and_no_more(
    provider: Provider, make_with: MakeWith, tmp_path: Path, released: Event
) -> None:
    file = providers_file(tmp_path, provider.issuer, timeout_seconds=3)
    social = Social(make_with(oidc_providers=file), provider)
    provider.instead["/.well-known/openid-configuration"] = lambda: (released.wait(20), Response("{}"))[1]
    answers: list[Answer] = []
    start = monotonic()

    def try_to_start() -> None:
        answers.append(social.make.anyone().post(f"{SIGN_IN}/start", {"redirect_uri": REDIRECT_URI}))

    threads = [Thread(target=try_to_start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [(answer.status, answer.json["code"]) for answer in answers] == [(502, "provider_failed")] * 6
    assert monotonic() - start < 10
    assert len(provider.asked) == 2


@pytest.mark.parametrize("is_trusted", [True, False])
def test_tls_is_spoken_with_who_can_prove_its_name(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_trusted: bool
) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    (authority if is_trusted else stranger).cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server = make_server("127.0.0.1", 0, provider.app(), threaded=True, ssl_context=context)
    thread = Thread(target=server.serve_forever, args=[0.02])
    thread.start()
    try:
        url = f"https://localhost:{server.server_port}/jwks"
        if is_trusted:
            assert len(ask(url, until=monotonic() + 5).members["keys"]) == 2
        else:
            with pytest.raises(Trouble, match="SSLCertVerificationError"):
                ask(url, until=monotonic() + 5)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
