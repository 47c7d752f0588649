"""Rounds: R1, the operation and R2 right after one another, so that whatever slows the machine down slows them all."""

import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.test_statement_counts import counted

from bench.load import Load, NotMeasured, Outcome, Request, send
from bench.operations import SHOPPERS, Operation
from bench.servers import ROOT, Engine, Family, Running, cpu_between
from bench.shops import Shop

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Length:
    """How long to measure. In a round each of the `buyers` may place one order."""

    rounds: int
    seconds: float
    warm_up_seconds: float
    starts: int
    growth: int  # how many times larger the large catalogue is
    buyers: int


@dataclass(frozen=True, slots=True)
class Cpu:
    """CPU milliseconds for one operation: of the server's processes, and of the database's if it has any."""

    server_ms: float
    database_ms: float

    @property
    def total_ms(self) -> float:
        return self.server_ms + self.database_ms


@dataclass(frozen=True, slots=True)
class Measured:
    """One operation in one round. `r1_ms` is R1's CPU for as many answers of the same size."""

    outcome: Outcome
    cpu: Cpu
    r1_ms: float
    r2_ms: float

    @property
    def x_r1(self) -> float:
        return self.cpu.total_ms / self.r1_ms


@dataclass(frozen=True, slots=True)
class Subject:
    """An operation with what does not change from round to round, and its rounds."""

    operation: Operation
    answer_bytes: int
    statements: int
    rounds: list[Measured] = field(default_factory=list)

    def median(self, figure: Callable[[Measured], float]) -> float:
        return statistics.median(figure(measured) for measured in self.rounds)

    @property
    def x_r1(self) -> float:
        return self.median(lambda measured: measured.x_r1)

    @property
    def max_x_r1(self) -> float | None:
        """How many times R1 it may cost, what it may cost of R2 included."""
        operation = self.operation
        if operation.max_r1 is None:
            return None
        return operation.max_r1 + operation.max_r2 * self.median(lambda measured: measured.r2_ms / measured.r1_ms)


def subject(shop: Shop, operation: Operation) -> Subject:
    """Do an operation in process, to learn how long its answers are and how many statements it sends."""
    operation.prepare()
    requests = operation.load.shoppers[0][: operation.load.steps]
    if operation.load.is_repeated:  # as it is in the middle of a round
        for request in operation.load.shoppers[0]:
            shop.answer(request)
    with counted(shop.app) as sent:
        answers = [shop.answer(request) for request in requests]
    if any(request.known_etag and answer.status != 304 for request, answer in zip(requests, answers, strict=True)):
        raise NotMeasured(f"{operation.name}: it was modified")
    return Subject(operation, sum(len(answer.body) for answer in answers) // len(requests), len(sent))


@dataclass(frozen=True, slots=True)
class Bench:
    """What takes part in the rounds."""

    shop: Running
    bare: Running
    minimal: "MinimalOrders"
    engine: Engine

    def measure(self, subject: Subject, seconds: float) -> Measured:
        """Measure one round of an operation."""
        operation = subject.operation
        _, r1 = cpu_of(self.bare, bare_load(subject.answer_bytes), seconds, self.engine)
        operation.prepare()
        outcome, cpu = cpu_of(self.shop, operation.load, seconds, self.engine)
        r2_ms = self.minimal.cpu_ms(outcome.operations, self.engine) if operation.max_r2 else 0.0
        return Measured(outcome, cpu, r1.server_ms * operation.load.steps, r2_ms)


def measure_all(bench: Bench, subjects: Sequence[Subject], length: Length, tell: Tell) -> None:
    for measured in subjects:
        tell(f"Warming up: {measured.operation.name}")
        bench.measure(measured, length.warm_up_seconds)
    for number in range(1, length.rounds + 1):
        for measured in subjects:
            tell(f"Round {number} of {length.rounds}: {measured.operation.name}")
            measured.rounds.append(bench.measure(measured, length.seconds))


def cpu_of(running: Running, load: Load, seconds: float, engine: Engine) -> tuple[Outcome, Cpu]:
    """Put a load on a server and return what one operation of it costs."""
    server, database = running.family.cpu_seconds(), _database_cpu(engine)
    outcome = send(running.url, load, seconds)
    server_seconds = cpu_between(server, running.family.cpu_seconds())
    database_seconds = cpu_between(database, _database_cpu(engine))
    scale = 1_000 / outcome.operations
    return outcome, Cpu(server_seconds * scale, database_seconds * scale)


def bare_load(size: int) -> Load:
    return Load([[Request("GET", f"/{size}")]] * SHOPPERS)


@dataclass(frozen=True, slots=True)
class MinimalOrders:
    """R2, a script that waits for commands."""

    process: "subprocess.Popen[str]"
    family: Family

    def cpu_ms(self, orders: int, engine: Engine) -> float:
        """Return the CPU milliseconds of the script and the database for one of so many minimal orders."""
        self._tell(f"fill {orders}")
        script, database = self.family.cpu_seconds(), _database_cpu(engine)
        self._tell("place")
        used = cpu_between(script, self.family.cpu_seconds()) + cpu_between(database, _database_cpu(engine))
        return used * 1_000 / orders

    def _tell(self, command: str) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        if self.process.stdout.readline() != "done\n":
            raise NotMeasured("the minimal order (R2) failed; its error is above")


@contextmanager
def minimal_orders(url: str, folder: Path) -> Iterator[MinimalOrders]:
    command = [sys.executable, "-m", "bench.references.minimal_order", url]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT) as process:
        yield MinimalOrders(process, Family.of(process.pid))


def _database_cpu(engine: Engine) -> Mapping[int, float]:
    return engine.family.cpu_seconds() if engine.family else {}
