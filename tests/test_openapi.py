"""The OpenAPI document is true, valid, committed, and good enough to make a client from."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from flaskart.cli.reports import describing_app, document_text
from tests.callers import PASSWORD, Make
from tests.servers import FLASKART, Server

ROOT = Path(__file__).parent.parent
METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return json.loads(document_text())  # type: ignore[no-any-return]


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method} {path}", item[method])
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    ]


def test_the_committed_document_is_the_generated_one() -> None:
    assert (ROOT / "openapi.json").read_text() == document_text() + "\n", "run `make openapi`"


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)

    assert document["openapi"] == "3.1.0"


def test_every_route_is_documented(document: dict[str, Any]) -> None:
    undocumented = {"/docs", "/docs/own/{name}", "/docs/swagger/{name}", "/openapi.json"}
    routes = json.loads(subprocess.run([FLASKART, "routes", "--json"], capture_output=True, check=True).stdout)

    assert {name for name, _ in operations(document)} == {
        f"{route['method'].lower()} {route['path']}" for route in routes if route["path"] not in undocumented
    }


def test_every_operation_says_what_it_does_and_what_it_answers(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert operation["summary"].endswith("."), name
        assert operation["tags"], name
        assert "<br" not in operation.get("description", ""), name
        assert "422" in operation["responses"], name
        assert [status for status in operation["responses"] if status.startswith("2")], name
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(ids) == len(set(ids))


def test_an_operation_that_asks_the_database_says_how_it_fails(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        content = operation["responses"].get("503", {"content": {"application/problem+json": {"examples": {}}}})[
            "content"
        ]
        codes = set(content["application/problem+json"]["examples"])
        of_reading = set() if name in ("get /healthz", "get /auth/oidc") else {"database_busy", "database_unavailable"}
        of_writing = set() if name.startswith("get ") else {"outcome_unknown"}
        assert codes - {"not_migrated", "overloaded"} == of_reading | of_writing, name


def test_every_error_has_an_example_that_is_a_problem(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for status, response in operation["responses"].items():
            if status >= "400":
                content = response["content"]["application/problem+json"]
                assert content["schema"] == {"$ref": "#/components/schemas/Problem"}, name
                assert content["examples"], name
                for code, example in content["examples"].items():
                    assert example["value"]["code"] == code
                    assert example["value"]["status"] == int(status)


def test_security_is_what_the_routes_enforce(document: dict[str, Any]) -> None:
    app = describing_app()
    public = {name for name, operation in operations(document) if "security" not in operation}

    assert public == {
        "get /account/exports/{token}",
        "get /healthz",
        "get /readyz",
        "get /products",
        "get /products/{product_id}",
        "post /auth/email/confirm",
        "post /auth/login",
        "post /auth/logout",
        "post /auth/password/forgot",
        "post /auth/password/reset",
        "post /auth/refresh",
        "post /auth/register",
        "get /auth/oidc",
        "post /auth/oidc/{provider}/start",
        "post /auth/oidc/{provider}/finish",
        "post /auth/verify-email",
        "post /auth/verify-email/resend",
    }
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert app.document["paths"].keys() == document["paths"].keys()


def test_a_generated_client_shops(server: Server, make_over_http: Make, tmp_path: Path) -> None:
    mug = make_over_http.product(price="19.99", stock=3)
    make_over_http.customer("alice")
    generator = [str(Path(sys.executable).with_name("openapi-python-client")), "generate", "--meta", "none"]
    options = ["--path", str(ROOT / "openapi.json"), "--output-path", "shop_client"]
    generated = subprocess.run([*generator, *options], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert generated.returncode == 0, generated.stdout + generated.stderr
    assert "warning" not in generated.stdout.lower(), generated.stdout

    story = f"""
from shop_client import AuthenticatedClient, Client
from shop_client.api.auth import login
from shop_client.api.cart import add_to_cart
from shop_client.api.orders import place_order, view_order
from shop_client.api.products import list_products
from shop_client.models import AddItem, Credentials, PlaceOrder

anyone = Client("{server.url}")
tokens = login.sync(client=anyone, body=Credentials(username="alice", password="{PASSWORD}"))
alice = AuthenticatedClient("{server.url}", token=tokens.access_token)
products = list_products.sync(client=anyone, limit=5)
assert [product.id for product in products.products] == [{mug}]
assert add_to_cart.sync(client=alice, body=AddItem(product_id={mug}, quantity=2)).total == 39.98
placed = place_order.sync(client=alice, body=PlaceOrder(), idempotency_key="k1")
order = view_order.sync(placed.order_id, client=alice).order
assert (order.total, order.items[0].product_name, order.status) == (39.98, "Mug", "placed")
"""
    ran = subprocess.run([sys.executable, "-c", story], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr
    assert make_over_http.stock_of(mug) == 1
