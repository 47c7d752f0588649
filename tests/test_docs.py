"""The documents say what is there: settings, commands, make targets, errors, files."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from flaskart.cli import cli
from flaskart.settings import PREFIX, Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
SETTINGS = sorted(Settings.model_fields)


def test_the_list_of_errors_is_the_one_the_code_gives() -> None:
    printed = CliRunner().invoke(cli, ["errors"], catch_exceptions=False)

    assert printed.exit_code == 0
    assert printed.output == (ROOT / "docs/errors.md").read_text(), "run `make openapi`"


def test_an_error_code_means_one_thing() -> None:
    codes = re.findall(r"^\| `(\w+)`", CliRunner().invoke(cli, ["errors"]).output, re.MULTILINE)

    assert len(codes) > 25
    assert sorted(set(codes)) == sorted(codes)


@pytest.mark.parametrize("field", SETTINGS)
def test_a_setting_is_documented_with_its_default(field: str) -> None:
    name = PREFIX + field.upper()
    default = Settings.model_fields[field].default
    value = "" if default is None else str(default)

    [row] = [line for line in README.splitlines() if line.startswith(f"| `{name}` |")]
    assert f"`{value}`" in row.split("|")[2] or default is None
    example = (ROOT / ".env.example").read_text().splitlines()
    assert example.count(f"# {name}={value}") == 1
    assert example[example.index(f"# {name}={value}") - 1].startswith("# "), "a setting has a comment"


def test_no_setting_is_documented_that_does_not_exist() -> None:
    example = (ROOT / ".env.example").read_text()
    known = {PREFIX + field.upper() for field in SETTINGS}

    assert set(re.findall(r"^# (FLASKART_\w+)=", example, re.MULTILINE)) == known
    assert set(re.findall(r"^\| `(FLASKART_\w+)`", README, re.MULTILINE)) == known
    assert [line for line in example.splitlines() if line and not line.startswith("#")] == []


def test_the_readme_lists_the_commands_there_are() -> None:
    described = re.findall(r"^\| `flaskart ([a-z ]+)` \|(.*)", README, re.MULTILINE)

    commands = dict(_commands(cli))
    assert {name for name, _ in described} == commands.keys()
    for name, meaning in described:
        options = {option for parameter in commands[name].params for option in parameter.opts}
        assert set(re.findall(r"`(--[a-z-]+)`", meaning)) <= options


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.relative_to(ROOT).as_posix())
def test_a_document_names_files_and_targets_that_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)

    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", prose) if not re.match(r"https?://", link)]
    missing = [link for link in links if not (document.parent / link.partition("#")[0]).exists()]
    missing += [path for path in _paths(prose) if not (ROOT / path).exists()]
    assert missing == []
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)", text)) <= targets


def _paths(prose: str) -> list[str]:
    """Return the paths of the checkout that are named between backticks, without a `::test` and its like."""
    return re.findall(r"`((?:src|tests|docs|\.github)/[\w./-]+)[`:]", prose)


def _commands(group: click.Group, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _commands(command, f"{prefix}{name} ")
        elif command is not None:
            yield f"{prefix}{name}", command
