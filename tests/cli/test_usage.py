"""How the command line explains itself, and what it answers when called wrongly."""

import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from flaskart import __version__
from flaskart.cli import cli
from tests.cli.shells import Shell
from tests.servers import SECRET, environment


def commands_of(group: click.Group, *names: str) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        yield (*names, name)
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands_of(command, *names, name)


def command_at(names: tuple[str, ...]) -> click.Command:
    command: click.Command = cli
    for name in names:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found
    return command


@pytest.mark.parametrize("names", list(commands_of(cli)), ids=" ".join)
def test_every_command_and_option_is_explained(names: tuple[str, ...]) -> None:
    result = CliRunner().invoke(cli, [*names, "--help"])

    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: cli {' '.join(names)} ")
    command = command_at(names)
    assert str(command.help).partition("\n")[0].endswith(".")
    assert [option.name for option in command.params if isinstance(option, click.Option) and not option.help] == []


def test_the_version_is_the_packages(nowhere: Shell) -> None:
    assert nowhere.done("--version") == f"flaskart, version {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("frobnicate",),
        ("--frobnicate",),
        ("doctor", "now"),
        ("serve", "--port", "0"),
        ("serve", "--port", "65536"),
        ("serve", "--port", "http"),
        ("serve", "--workers", "0"),
        ("demo", "--products", "0"),
        ("demo", "--products", "-1"),
        ("db",),
        ("db", "downgrade"),
        ("db", "copy"),
        ("db", "copy", "sqlite:///shop.db"),
        ("backup",),
        ("restore",),
        ("user",),
        ("user", "create"),
        ("user", "create", "alice"),
        ("worker", "now"),
        ("worker", "--parent", "me"),
        ("jobs",),
        ("jobs", "list", "--state", "odd"),
        ("jobs", "retry"),
        ("jobs", "retry", "0"),
        ("mail",),
        ("mail", "preview"),
        ("mail", "preview", "nonsense"),
        ("mail", "test"),
    ],
    ids=" ".join,
)
def test_a_wrong_call_is_answered_with_2_and_how_to_call(arguments: tuple[str, ...]) -> None:
    result = CliRunner().invoke(cli, arguments)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Usage: cli ")


@pytest.mark.parametrize(
    ("settings", "refusal"),
    [
        (
            {"FLASKART_CURENCY": "EUR"},
            "flaskart: FLASKART_CURENCY is not a setting of this version (.env.example lists them)",
        ),
        (
            {"FLASKART_DATABASE_URL": "mysql://localhost/shop"},
            "flaskart: FLASKART_DATABASE_URL: only sqlite and postgresql are supported",
        ),
    ],
)
@pytest.mark.parametrize("command", ["init", "serve"])
def test_a_wrong_setting_stops_a_command_with_one_line(
    nowhere: Shell, command: str, settings: dict[str, str], refusal: str
) -> None:
    assert nowhere.refused(command, **settings) == refusal
    assert list(nowhere.folder.iterdir()) == []


@pytest.mark.parametrize("command", [("serve",), ("user", "list")], ids=" ".join)
def test_where_no_shop_is_a_command_says_how_to_make_one_and_leaves_nothing(
    nowhere: Shell, command: tuple[str, ...]
) -> None:
    refusal = nowhere.refused(*command)

    assert refusal == "Error: the database is not at this version's schema: run `flaskart init`"
    assert list(nowhere.folder.iterdir()) == []


@pytest.mark.parametrize("command", [("serve",), ("db", "current")], ids=" ".join)
@pytest.mark.parametrize("url", ["sqlite:///no/such/folder/shop.db", "postgresql://127.0.0.1:1/shop"])
def test_a_database_that_cannot_be_reached_stops_a_command_with_one_line(
    nowhere: Shell, command: tuple[str, ...], url: str
) -> None:
    refusal = nowhere.refused(*command, FLASKART_DATABASE_URL=url, FLASKART_SECRET_KEY=SECRET)

    assert refusal.startswith("flaskart: the database says: ")


def test_a_file_that_is_no_database_stops_a_command_with_one_line(nowhere: Shell) -> None:
    (nowhere.folder / "shop.db").write_text("Not a database, and longer than the header of one would be. " * 10)

    refusal = nowhere.refused("init", FLASKART_DATABASE_URL="sqlite:///shop.db", FLASKART_SECRET_KEY=SECRET)

    assert refusal == "flaskart: the database says: file is not a database"


def test_without_its_driver_postgresql_is_refused_with_what_to_install(nowhere: Shell) -> None:
    without = "import sys; sys.modules['psycopg'] = None; from flaskart.cli import main; main()"
    settings = environment("postgresql://127.0.0.1/shop")

    result = subprocess.run(
        [sys.executable, "-c", without, "init"],
        cwd=nowhere.folder,
        env=settings,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 1
    assert result.stderr == "flaskart: PostgreSQL needs its driver: pip install 'flaskart[postgres]'\n"
