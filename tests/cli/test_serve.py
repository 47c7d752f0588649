"""`flaskart serve`: when it starts, whom it listens to and how it stops."""

import json
import signal
import socket
import subprocess
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from flaskart.accounts.queries import list_accounts
from flaskart.kit import clock
from flaskart.kit.db import Database
from flaskart.migrations import runner
from flaskart.web.idempotency import IdempotencyKey
from flaskart.web.json import decode
from tests.accounts.sign_ins import rows_of
from tests.callers import Caller
from tests.cli.shells import Shell
from tests.postgres import free_port
from tests.processes import kill_family, wait_until
from tests.servers import FLASKART, Server, serving, start

ALICE = json.dumps({"username": "alice", "email": "alice@example.com", "password": "correct horse"}).encode()
DEADLINE_SECONDS = 20


def test_serve_refuses_to_start_without_a_secret(shop: Shell) -> None:
    bare = Shell(shop.folder, {name: value for name, value in shop.environment.items() if "SECRET" not in name})

    refusal = bare.refused("serve")

    assert refusal == "flaskart: No secret key: run `flaskart init`, or set FLASKART_SECRET_KEY"


def test_serve_refuses_to_start_with_a_short_secret(shop: Shell) -> None:
    refusal = shop.refused("serve", FLASKART_SECRET_KEY="x" * 31)

    assert refusal == "flaskart: FLASKART_SECRET_KEY is too short: at least 32 bytes are needed"


@pytest.mark.parametrize("revision", ["base", "0001"])
def test_serve_refuses_to_start_on_a_database_that_is_not_migrated(
    shop: Shell, database_url: str, revision: str
) -> None:
    database = Database(database_url)
    runner.downgrade(database, revision)
    database.close()

    refusal = shop.refused("serve")

    assert refusal == "Error: the database is not at this version's schema: run `flaskart init`"


def test_serve_listens_to_this_machine_only_unless_told_otherwise(server: Server) -> None:
    parent = psutil.Process(server.process.pid)

    listening = {
        connection.laddr
        for process in (parent, *parent.children(recursive=True))
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }

    assert {(address.ip, address.port) for address in listening} == {("127.0.0.1", port_of(server))}


def test_serve_says_where_to_look(server: Server, tmp_path: Path) -> None:
    assert (tmp_path / "serve.log").read_text().splitlines() == [
        "WARNING: FLASKART_RATE_LIMITS=off, so nobody is kept from guessing passwords.",
        f"Flaskart serves on {server.url}",
        f"  open  {server.url}/docs",
        f"  try   curl '{server.url}/products?limit=2'",
        f"  try   curl {server.url}/products/1",
    ]


@pytest.mark.parametrize(
    ("storage", "warnings"),
    [
        (
            "memory",
            ["WARNING: with FLASKART_RATE_LIMIT_STORAGE=memory each of 2 processes counts by itself, so that 2 times"],
        ),
        ("database", []),
    ],
)
def test_serve_warns_when_limits_are_not_what_they_seem(
    database_url: str, tmp_path: Path, storage: str, warnings: list[str]
) -> None:
    with serving(database_url, tmp_path, FLASKART_RATE_LIMITS="on", FLASKART_RATE_LIMIT_STORAGE=storage):
        said = (tmp_path / "serve.log").read_text().splitlines()

    assert [line.partition(" as much")[0] for line in said if "WARNING" in line] == warnings


def test_a_worker_gives_back_the_memory_that_passwords_took(server: Server) -> None:
    anyone = Caller(server.send)
    wrong = {"username": "nobody", "password": "wrong horse"}
    for _ in range(4):
        anyone.get("/products")
    before = largest_worker(server)

    for _ in range(12):
        assert anyone.post("/auth/login", wrong).status == 401

    assert largest_worker(server) - before < 12 * 2**20


def test_mail_that_goes_nowhere_is_printed_by_serve(database_url: str, db: Database, tmp_path: Path) -> None:
    with serving(database_url, tmp_path, worker=True) as shop:
        anyone = Caller(shop.send)
        assert anyone.post("/auth/register", decode(ALICE)).status == 201
        wait_until(lambda: "/verify-email?token=" in (tmp_path / "serve.log").read_text())
        printed = (tmp_path / "serve.log").read_text()
        token = printed.partition("/verify-email?token=")[2].split()[0]

        answer = anyone.post("/auth/verify-email", {"token": token})

    assert (answer.status, answer.json["msg"]) == (200, "E-mail address verified")


def test_what_serve_says_to_open_is_there(server: Server) -> None:
    anyone = Caller(server.send)

    assert (anyone.get("/docs").status, anyone.get("/products?limit=2").status) == (200, 200)


def test_the_worker_forgets_idempotency_keys_past_their_48_hours(
    db: Database, database_url: str, tmp_path: Path
) -> None:
    with db.write() as session:
        for key, hours in (("old", 49), ("new", 47)):
            created_at = clock.now() - timedelta(hours=hours)
            row = IdempotencyKey(
                caller="anonymous", key=key, fingerprint=b"x", status=200, body=b"{}", created_at=created_at
            )
            session.add(row)

    with serving(database_url, tmp_path, worker=True):
        wait_until(lambda: len(rows_of(db, "idempotency_key")) == 1)

    assert [row["key"] for row in rows_of(db, "idempotency_key")] == ["new"]


def test_serve_runs_one_worker_and_starts_it_again_when_it_dies(
    database_url: str, db: Database, tmp_path: Path
) -> None:
    with serving(database_url, tmp_path, worker=True) as server:
        [worker] = workers_of(server)

        worker.kill()

        wait_until(lambda: [other.pid for other in workers_of(server)] not in ([], [worker.pid]))
        [successor] = workers_of(server)

    assert "flaskart: the worker has ended with -9 and is started again\n" in (tmp_path / "serve.log").read_text()
    assert not successor.is_running()


def test_serve_without_a_worker_leaves_the_jobs_to_others(server: Server, db: Database) -> None:
    assert workers_of(server) == []
    assert rows_of(db, "job") == []


def test_the_worker_ends_when_its_server_is_killed(database_url: str, db: Database, tmp_path: Path) -> None:
    server = start(database_url, tmp_path, free_port(), worker=True)
    [worker] = workers_of(server)
    web = [child for child in psutil.Process(server.process.pid).children() if child != worker]

    server.process.kill()

    server.process.wait()
    wait_until(lambda: not worker.is_running())
    for process in web:  # Granian's own, which do not look for their parent
        kill_family(process.pid)


def test_a_server_that_is_still_starting_its_workers_stops_too(shop: Shell) -> None:
    command = [FLASKART, "serve", "--port", str(free_port()), "--workers", "2"]
    process = subprocess.Popen(command, cwd=shop.folder, env=shop.environment, stdout=subprocess.DEVNULL)
    wait_for_children_of(process, 3)

    process.terminate()

    assert process.wait(timeout=DEADLINE_SECONDS) == 0


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_request_under_way_is_finished_before_the_server_stops(
    server: Server, db: Database, stop: signal.Signals
) -> None:
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=DEADLINE_SECONDS) as client:
        client.sendall(
            b"POST /auth/register HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Connection: close\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(ALICE)
        )
        # The server asks for the body only once the shop reads it: from here on the request is under way.
        assert client.recv(64).startswith(b"HTTP/1.1 100 ")
        server.process.send_signal(stop)
        wait_until_nobody_is_let_in(port_of(server))

        client.sendall(ALICE)
        answer = read_all(client)

    assert answer.startswith(b"HTTP/1.1 201 ")
    assert server.process.wait(timeout=DEADLINE_SECONDS) == 0
    with db.read() as session:
        assert [account.username for account in list_accounts(session)] == ["alice"]


def port_of(server: Server) -> int:
    return int(server.url.rpartition(":")[2])


def workers_of(server: Server) -> list[psutil.Process]:
    """Return the processes beside a server's web processes that do its jobs."""
    alive = [child for child in psutil.Process(server.process.pid).children() if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in alive if "worker" in child.cmdline()]


def wait_for_children_of(process: subprocess.Popen[bytes], count: int) -> None:
    while len(psutil.Process(process.pid).children()) < count:
        assert process.poll() is None


def wait_until_nobody_is_let_in(port: int) -> None:
    with suppress(ConnectionError):
        while True:
            socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_SECONDS).close()


def read_all(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65_536), b""))


def largest_worker(server: Server) -> int:
    """Return the resident bytes of the largest of a server's processes."""
    return max(worker.memory_info().rss for worker in psutil.Process(server.process.pid).children(recursive=True))
