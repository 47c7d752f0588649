"""The tables that a run prints, and the files that it writes."""

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.chart import Bar, draw
from bench.goals import Goal, shown
from bench.measuring import Subject
from bench.results import Results, cpu_ms

EXPLAINED = (
    "CPU is milliseconds of the server's and the database's processes for one operation; R1 is a bare Flask view on the"
    " same server that answers with as many bytes (for a whole order: four of them), R2 the least SQL such an order can"
    " be made of. Medians of the rounds, with 4 shoppers at once, of whole orders 8. p50 and p99 are milliseconds."
)


def show(results: Results, console: Console) -> None:
    """Print what was measured and which goals hold."""
    console.print(_operations(results))
    console.print(_goals(results))
    console.print(EXPLAINED)
    facts = ", ".join(f"{name} {value}" for name, value in results.machine.items())
    console.print(f"{results.engine}, {results.products:,} products, revision {results.revision}, {facts}")
    console.print(f"Server's processes at their highest, together: {results.peak_bytes / 1e6:.0f} MB")
    missed = results.missed
    console.print(f"{len(results.goals) - len(missed)} of {len(results.goals)} goals hold.")
    for goal in missed:
        console.print(f"  missed: {escape(_sentence(goal))}")


def write(results: Results, folder: Path) -> None:
    """Write `<engine>.json` and `<engine>.svg`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{results.engine}.json").write_bytes(results.as_json())
    bars = [
        Bar(subject.operation.name, subject.x_r1, subject.max_x_r1)
        for subject in results.subjects
        if subject.max_x_r1 is not None
    ]
    title = f"CPU per operation on {results.engine}, as times a bare Flask view"
    (folder / f"{results.engine}.svg").write_text(draw(title, bars), encoding="utf-8")


def _operations(results: Results) -> Table:
    has_database = results.engine != "sqlite"
    table = Table("operation", title=f"Operations, {results.engine}", title_justify="left")
    columns = ["CPU", "of it database"] if has_database else ["CPU"]
    for column in (*columns, "x R1", "goal", "SQL", "a second", "p50", "p99", "bytes"):
        table.add_column(column, justify="right")
    for subject in results.subjects:
        table.add_row(*_cells(subject, has_database=has_database))
    return table


def _cells(subject: Subject, *, has_database: bool) -> list[str]:
    median, limit = subject.median, subject.max_x_r1
    database = [f"{median(lambda measured: measured.cpu.database_ms):.3f}"] if has_database else []
    return [
        subject.operation.name,
        f"{median(cpu_ms):.3f}",
        *database,
        f"{subject.x_r1:.1f}",
        "" if limit is None else f"{limit:.1f}",
        str(subject.statements),
        f"{median(lambda measured: measured.outcome.per_second):,.0f}",
        f"{median(lambda measured: measured.outcome.p50_ms):.1f}",
        f"{median(lambda measured: measured.outcome.p99_ms):.1f}",
        f"{subject.answer_bytes:,}",
    ]


def _goals(results: Results) -> Table:
    table = Table("goal", "wanted", title="Goals", title_justify="left")
    table.add_column("measured", justify="right")
    table.add_column("")
    for goal in results.goals:
        verdict = "[green]holds[/]" if goal.holds else "[red]missed[/]"
        table.add_row(escape(goal.what), goal.wording, shown(goal.measured), verdict)
    return table


def _sentence(goal: Goal) -> str:
    return f"{goal.what} is {shown(goal.measured)}, wanted {goal.wording}"
