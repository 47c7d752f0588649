"""The results: every goal judged, and all of it as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from bench.goals import Goal
from bench.measuring import Measured, Subject


@dataclass(frozen=True, slots=True)
class Results:
    """`peak_bytes` is the memory of the server's processes at its highest."""

    engine: str
    products: int
    rounds: int
    is_quick: bool
    date: str
    revision: str
    machine: Mapping[str, str | int]
    subjects: Sequence[Subject]
    scenarios: Sequence[Goal]
    peak_bytes: int

    @property
    def goals(self) -> list[Goal]:
        each = [goal for subject in self.subjects for goal in goals_of(subject)]
        return [*each, *growth_goals(self.subjects), *self.scenarios]

    @property
    def missed(self) -> list[Goal]:
        return [goal for goal in self.goals if not goal.holds]

    def as_json(self) -> bytes:
        found = {
            "engine": self.engine,
            "products": self.products,
            "rounds": self.rounds,
            "quick": self.is_quick,
            "date": self.date,
            "revision": self.revision,
            "machine": self.machine,
            "operations": [_operation(subject) for subject in self.subjects],
            "server_peak_memory_mb": round(self.peak_bytes / 1e6, 1),
            "goals": [_goal(goal) for goal in self.goals],
        }
        return msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n"


def cpu_ms(measured: Measured) -> float:
    return measured.cpu.total_ms


def goals_of(subject: Subject) -> list[Goal]:
    """Judge what is asked of an operation."""
    operation, goals = subject.operation, []
    if subject.max_x_r1 is not None:
        goals.append(Goal(f"{operation.name}: CPU", subject.x_r1, subject.max_x_r1, "x R1"))
    if operation.max_ms is not None:
        goals.append(Goal(f"{operation.name}: CPU", subject.median(cpu_ms), operation.max_ms, "ms"))
    if operation.max_statements is not None:
        goals.append(
            Goal(f"{operation.name}: statements", subject.statements, operation.max_statements, "SQL statements")
        )
    if operation.min_per_second is not None:
        rate = subject.median(lambda measured: measured.outcome.per_second)
        goals.append(Goal(f"{operation.name}: rate", rate, operation.min_per_second, "a second", is_floor=True))
    return goals


def growth_goals(subjects: Sequence[Subject]) -> list[Goal]:
    """Judge that what has 500 lines costs no more statements than what has one, and no more CPU than it has bytes."""
    by_name = {subject.operation.name: subject for subject in subjects}
    goals = []
    for thing in ("cart", "order"):
        short, long = by_name[f"{thing} of 1 line"], by_name[f"{thing} of 500 lines"]
        what = f"{thing} of 500 lines"
        goals.append(Goal(f"{what}: statements", long.statements, short.statements, "SQL statements, as of 1 line"))
        growth = long.median(cpu_ms) / short.median(cpu_ms)
        goals.append(
            Goal(f"{what}: CPU", growth, long.answer_bytes / short.answer_bytes, "x that of 1 line, as its bytes")
        )
    return goals


def _operation(subject: Subject) -> Mapping[str, Any]:
    median = subject.median
    found: dict[str, Any] = {
        "operation": subject.operation.name,
        "cpu_ms": median(cpu_ms),
        "server_cpu_ms": median(lambda measured: measured.cpu.server_ms),
        "database_cpu_ms": median(lambda measured: measured.cpu.database_ms),
        "r1_ms": median(lambda measured: measured.r1_ms),
        "x_r1": subject.x_r1,
        "per_second": median(lambda measured: measured.outcome.per_second),
        "p50_ms": median(lambda measured: measured.outcome.p50_ms),
        "p99_ms": median(lambda measured: measured.outcome.p99_ms),
    }
    if subject.operation.max_r2:
        found["r2_ms"] = median(lambda measured: measured.r2_ms)
    rounded: dict[str, Any] = {name: value if name == "operation" else round(value, 4) for name, value in found.items()}
    shoppers = len(subject.operation.load.shoppers)
    return rounded | {"statements": subject.statements, "answer_bytes": subject.answer_bytes, "shoppers": shoppers}


def _goal(goal: Goal) -> Mapping[str, Any]:
    return {
        "goal": goal.what,
        "wanted": goal.wording,
        "measured": round(goal.measured, 4),
        "limit": round(goal.limit, 4),
        "holds": goal.holds,
    }
