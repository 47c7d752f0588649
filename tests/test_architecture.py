"""The rules of the house that no linter knows."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, Response
from sqlalchemy.orm import configure_mappers

from flaskart.kit.tables import Table
from flaskart.web import auth
from flaskart.web.auth import access_of
from flaskart.web.openapi import ShopApp

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "flaskart"
MODULES = sorted(path for path in SOURCE.rglob("*.py") if "versions" not in path.parts)
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 50
Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    return str(path.relative_to(SOURCE))


def functions_of(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, Function):
            yield node


def floors() -> list[list[str]]:
    """The layers of import-linter's contract, the highest first."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    return [[room.strip() for room in layer.split("|")] for layer in layers]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_is_short_and_says_what_it_is_for(path: Path) -> None:
    text = path.read_text()

    assert len(text.splitlines()) <= MAX_MODULE_LINES
    assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_functions_are_short(path: Path) -> None:
    too_long = [f.name for f in functions_of(path) if (f.end_lineno or 0) - f.lineno >= MAX_FUNCTION_LINES]

    assert too_long == []


def test_only_the_database_commits() -> None:
    committing = {
        name_of(path)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("commit", "begin")
    }

    assert committing == {"kit/db.py"}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_function_is_inside_a_transaction_or_owns_its_own(path: Path) -> None:
    for function in functions_of(path):
        arguments = {argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)}

        assert not {"session", "db"} <= arguments, function.name


def test_foreign_keys_point_down_and_relationships_never_load_by_themselves() -> None:
    configure_mappers()
    height = {room: -level for level, rooms in enumerate(floors()) for room in rooms}
    room_of = {
        str(table.name): mapper.class_.__module__.split(".")[1]
        for mapper in Table.registry.mappers
        for table in mapper.tables
    }

    for table in Table.metadata.tables.values():
        for foreign_key in table.foreign_keys:
            own, other = room_of[table.name], room_of[foreign_key.column.table.name]
            assert own == other or height[other] < height[own], f"{own} -> {other}"
    for mapper in Table.registry.mappers:
        assert {relationship.lazy for relationship in mapper.relationships} <= {"raise"}


def test_migrations_and_transfer_know_every_table() -> None:
    modules = [path.relative_to(SOURCE) for path in MODULES if "__tablename__ = " in path.read_text()]
    importing = (SOURCE / "migrations/tables.py").read_text()

    for module in modules:
        assert f"import flaskart.{'.'.join(module.with_suffix('').parts)}" in importing


def test_every_route_says_who_may_call_it(app: ShopApp) -> None:
    for view in app.view_functions.values():
        assert access_of(view)


def test_a_route_that_does_not_say_is_refused() -> None:
    def silent() -> None: ...

    with pytest.raises(LookupError, match="silent does not say who may call it"):
        access_of(silent)


def test_an_app_with_a_route_that_does_not_say_does_not_start() -> None:
    app = Flask(__name__, static_folder=None)
    app.add_url_rule("/open", "open", Response)

    with pytest.raises(LookupError, match="does not say who may call it"):
        auth.register(app)


def test_no_room_has_a_drawer_for_everything() -> None:
    drawers = {"utils.py", "helpers.py", "common.py", "base.py", "constants.py", "manager.py", "service.py"}

    assert [name_of(path) for path in MODULES if path.name in drawers] == []
