"""`flaskart routes | openapi`: the API described, without a shop."""

import json

import pytest

from tests.cli.shells import Shell

CORE = {
    ("POST", "/auth/register"): "anyone",
    ("POST", "/auth/login"): "anyone",
    ("POST", "/auth/refresh"): "anyone",
    ("POST", "/auth/logout"): "anyone",
    ("GET", "/products"): "anyone",
    ("POST", "/products"): "catalog.write",
    ("PUT", "/products/{product_id}"): "catalog.write",
    ("PATCH", "/products/{product_id}"): "catalog.write",
    ("DELETE", "/products/{product_id}"): "catalog.write",
    ("GET", "/cart"): "shopping",
    ("POST", "/cart"): "shopping",
    ("PATCH", "/cart/{product_id}"): "shopping",
    ("DELETE", "/cart/{product_id}"): "shopping",
    ("DELETE", "/cart/clear"): "shopping",
    ("POST", "/orders"): "shopping",
    ("GET", "/orders"): "shopping",
    ("GET", "/orders/history"): "shopping",
    ("GET", "/orders/{order_id}"): "shopping",
    ("GET", "/account"): "account",
    ("PATCH", "/account"): "account",
    ("DELETE", "/account"): "account",
    ("POST", "/account/password"): "account",
}


def test_routes_tell_programs_who_may_call_what(nowhere: Shell) -> None:
    rows = json.loads(nowhere.done("routes", "--json"))

    access = {(row["method"], row["path"]): row["access"] for row in rows}
    assert len(access) == len(rows)
    assert {route: access.get(route) for route in CORE} == CORE
    assert {frozenset(row) for row in rows} == {frozenset({"method", "path", "access"})}
    assert [(row["path"], row["method"]) for row in rows] == sorted((row["path"], row["method"]) for row in rows)


def test_routes_are_a_table_for_people(nowhere: Shell) -> None:
    lines = [line.split() for line in nowhere.done("routes").splitlines()]

    assert lines[0] == ["method", "path", "access"]
    assert ["POST", "/orders", "shopping"] in lines


def test_openapi_prints_a_document_with_every_route_of_the_api(nowhere: Shell) -> None:
    document = json.loads(nowhere.done("openapi"))

    assert document["openapi"] == "3.1.0"
    assert document["info"]["title"] == "Flaskart"
    operations = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert operations >= set(CORE)


def test_the_document_is_the_same_every_time(nowhere: Shell) -> None:
    assert nowhere.done("openapi") == nowhere.done("openapi", PYTHONHASHSEED="1")


@pytest.mark.parametrize("command", ["routes", "openapi"])
def test_describing_the_api_leaves_nothing_behind(nowhere: Shell, command: str) -> None:
    nowhere.done(command)

    assert list(nowhere.folder.iterdir()) == []
