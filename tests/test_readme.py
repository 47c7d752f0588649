"""The README's tour does what it says: every line is run, in one shell, against a real server, on both engines."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from flaskart.kit.db import Database
from tests.servers import FLASKART, environment, serving

README = Path(__file__).parents[1] / "README.md"
CURL = Path(__file__).with_name("curl.py")
END = "--- end of step"


@dataclass(frozen=True)
class Step:
    """A command of the tour and the output that the comment below it shows; `…` stands for anything."""

    command: str
    shown: str | None

    def is_shown(self, output: str) -> bool:
        if self.shown is None:
            return True
        pattern = ".*?".join(re.escape(part) for part in self.shown.split("…"))
        return re.fullmatch(pattern, output, re.DOTALL) is not None


def tour() -> list[Step]:
    """Return the steps of the tour. A comment is output when it stands right below a command."""
    _, _, rest = README.read_text(encoding="utf-8").partition("\n## A tour in two minutes\n")
    section, _, _ = rest.partition("\n## ")
    return [step for block in re.findall(r"```sh\n(.*?)```", section, re.DOTALL) for step in _steps(block)]


def _steps(block: str) -> Iterator[Step]:
    for paragraph in block.replace("\\\n", "").split("\n\n"):
        command, shown = "", list[str]()
        for line in paragraph.splitlines():
            if line.startswith("# "):
                shown.append(line.removeprefix("# "))
                continue
            if command:
                yield _step(command, shown)
            command, shown = line, []
        yield _step(command, shown)


def _step(command: str, shown: Sequence[str]) -> Step:
    # A line that starts with a space continues the one above; one that is only … stands for any lines.
    text = "\n".join(shown).replace("\n ", "").replace("\n…\n", "\n…")
    return Step(command, text if shown else None)


def run_in_one_shell(commands: Sequence[str], settings: Mapping[str, str], folder: Path) -> list[tuple[int, str]]:
    """Return the exit code and the output of each command; variables live on from one to the next."""
    lines = [f'curl() {{ {shlex.join([sys.executable, str(CURL)])} "$@"; }}']
    lines += [f"{command}\nprintf '\\n{END} %s\\n' $?" for command in commands]
    script = "\n".join(lines)
    shell = subprocess.run(["sh"], input=script, env=settings, cwd=folder, capture_output=True, text=True, check=True)
    parts = re.split(rf"\n{END} (\d+)\n", shell.stdout)
    assert len(parts) == 2 * len(commands) + 1, shell.stderr
    return [(int(code), output.strip()) for output, code in zip(parts[::2], parts[1::2], strict=False)]


def test_every_line_of_the_tour_does_what_the_readme_says(database_url: str, db: Database, tmp_path: Path) -> None:
    steps = tour()
    subprocess.run([FLASKART, "demo"], env=environment(database_url), cwd=tmp_path, check=True)

    with serving(database_url, tmp_path) as server:
        commands = [
            step.command.replace("http://127.0.0.1:8000", server.url).replace(".venv/bin/flaskart", FLASKART)
            for step in steps
        ]
        results = run_in_one_shell(commands, environment(database_url), tmp_path)

    for step, (code, output) in zip(steps, results, strict=True):
        assert code == 0, f"{step.command}\n{output}"
        assert step.is_shown(output), f"{step.command}\n  README:  {step.shown}\n  printed: {output}"


def test_the_tour_shows_an_answer_to_every_request() -> None:
    steps = tour()

    requests = [step for step in steps if step.command.startswith(("curl", ".venv", "echo"))]
    assert len(requests) > 15
    assert [step.command for step in requests if step.shown is None] == []


@pytest.mark.parametrize(("shown", "output"), [("a…c", "abd"), ("a…c", "abcd"), ("a", "b"), ("{…}", "[]")])
def test_another_answer_than_the_one_shown_is_noticed(shown: str, output: str) -> None:
    assert not Step("command", shown).is_shown(output)
