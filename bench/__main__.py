"""`make bench`: CPU per operation of the shop, as ratios to a bare Flask view (R1) in interleaved rounds of one run."""

import argparse
import json
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table
from tests.postgres import start_postgres

from bench.servers import SCRIPTS, Running, serving

SECRET = "signs tokens of a benchmark's shop, which is thrown away"
PASSWORD = "correct horse"
HOT = (2, 3, 4)


@dataclass
class Operation:
    """One thing to measure. `goal` is how many times R1's CPU it may cost, None where performance.md sets none."""

    name: str
    goal: float | None
    run: Callable[["Client"], None]
    milliseconds: list[float] = field(default_factory=list)


class Client:
    """One keep-alive connection to a server, signed in once there is a token."""

    def __init__(self, running: Running) -> None:
        self._connection = HTTPConnection("127.0.0.1", running.port, timeout=30)
        self._headers = {"Content-Type": "application/json"}

    def call(self, method: str, path: str, body: object = None) -> Any:
        payload = None if body is None else json.dumps(body)
        self._connection.request(method, path, payload, self._headers)
        response = self._connection.getresponse()
        content = response.read()
        if response.status >= 400:
            raise RuntimeError(f"{method} {path}: {response.status} {content!r}")
        return content

    def sign_in(self, username: str) -> None:
        login = json.loads(self.call("POST", "/auth/login", {"username": username, "password": PASSWORD}))
        self._headers["Authorization"] = f"Bearer {login['access_token']}"

    def register_and_sign_in(self, username: str) -> None:
        person = {"username": username, "email": f"{username}@example.com", "password": PASSWORD}
        self.call("POST", "/auth/register", person)
        self.sign_in(username)


def add_to_cart(client: Client) -> None:
    client.call("POST", "/cart", {"product_id": HOT[0]})


def whole_order(client: Client) -> None:
    for product_id in HOT:
        client.call("POST", "/cart", {"product_id": product_id})
    client.call("POST", "/orders")


def operations() -> list[Operation]:
    return [
        Operation("list of 20 products", 4, lambda client: client.call("GET", "/products")),
        Operation("list of 50 products", 4, lambda client: client.call("GET", "/products?limit=50")),
        Operation("product by id", 3, lambda client: client.call("GET", "/products/7")),
        Operation("add to cart", 6, add_to_cart),
        Operation("whole order (3 adds, place)", None, whole_order),
    ]


@contextmanager
def shop(database_url: str, products: int) -> Iterator[Running]:
    """Serve a shop with a demo catalogue, of which three products never sell out."""
    environment = {"FLASKART_DATABASE_URL": database_url, "FLASKART_SECRET_KEY": SECRET}
    staff = ["user", "create", "boss", "boss@example.com", "--staff", "--password-stdin"]
    for command in (["init"], ["demo", "--products", str(products)], staff):
        flaskart = [str(SCRIPTS / "flaskart"), *command]
        subprocess.run(flaskart, env=environment, check=True, capture_output=True, input=PASSWORD, text=True)
    with serving("flaskart.app:wsgi", environment, ready="/readyz") as running:
        boss = Client(running)
        boss.sign_in("boss")
        for product_id in HOT:
            boss.call("PATCH", f"/products/{product_id}", {"stock": 1_000_000})
        yield running


def cpu_milliseconds(running: Running, count: int, work: Callable[[], object]) -> float:
    """Return the server's CPU time for one call of `work`, of `count` calls."""
    before = running.cpu_seconds()
    for _ in range(count):
        work()
    return (running.cpu_seconds() - before) * 1_000 / count


def run(database_url: str, *, products: int, rounds: int, count: int) -> tuple[list[float], list[Operation], float]:
    """Return R1's and the operations' milliseconds by round, and the shop's memory in MiB."""
    measured, reference = operations(), []
    with shop(database_url, products) as running, bare(running) as r1:
        client, bare_client = Client(running), Client(r1)
        client.register_and_sign_in("alice")
        for operation in measured:
            operation.run(client)
        for _ in track(range(rounds), "Measuring", console=Console(stderr=True)):
            reference.append(cpu_milliseconds(r1, count * 5, lambda: bare_client.call("GET", "/")))
            for operation in measured:
                operation.milliseconds.append(cpu_milliseconds(running, count, lambda: operation.run(client)))  # noqa: B023 - called at once
        return reference, measured, running.memory_mib()


@contextmanager
def bare(shop_running: Running) -> Iterator[Running]:
    """Serve R1, with bodies as long as the shop's list of 20."""
    size = len(Client(shop_running).call("GET", "/products"))
    with serving("bench.bare:wsgi", {"BENCH_BYTES": str(size)}, ready="/") as running:
        yield running


@contextmanager
def database(engine: str) -> Iterator[str]:
    """Yield the URL of an empty database: a file of its own, or one on a PostgreSQL of its own."""
    if engine == "sqlite":
        with tempfile.TemporaryDirectory(prefix="flaskart-bench-") as folder:
            yield f"sqlite:///{folder}/bench.db"
    else:
        server = start_postgres()
        yield server.url
        server.stop()


def main() -> None:
    """Measure, print a table, and say which goals hold."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--products", type=int, default=1_000)
    parser.add_argument("--quick", action="store_true", help="two short rounds instead of seven")
    arguments = parser.parse_args()
    rounds, count = (2, 50) if arguments.quick else (7, 200)
    with database(arguments.engine) as url:
        reference, measured, memory = run(url, products=arguments.products, rounds=rounds, count=count)
    r1 = statistics.median(reference)
    table = Table("operation", "CPU ms", "x R1", "goal", "")
    table.add_row("R1: bare Flask view", f"{r1:.3f}", "1.0", "", "")
    for operation in measured:
        milliseconds = statistics.median(operation.milliseconds)
        ratio, goal = milliseconds / r1, operation.goal
        verdict = "" if goal is None else "holds" if ratio <= goal else "missed"
        table.add_row(operation.name, f"{milliseconds:.3f}", f"{ratio:.1f}", f"{goal or ''}", verdict)
    Console().print(table)
    Console().print(f"{arguments.engine}, {arguments.products} products, {memory:.0f} MiB in the largest process")


if __name__ == "__main__":
    main()
