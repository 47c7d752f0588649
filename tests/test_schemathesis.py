"""Every operation, fed with what its schema allows and forbids, as each role: no 5xx, no answer outside the schema."""

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from flaskart.cli.reports import describing_app
from flaskart.web.openapi import ShopApp
from tests.callers import Caller, Make

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]
ROLES: dict[str, Callable[[Make], Caller]] = {
    "anonymous": lambda make: make.anyone(),
    "customer": lambda make: make.customer(),
    "staff": lambda make: make.staff(),
}
schema = schemathesis.openapi.from_dict(describing_app().document)


@pytest.fixture(params=ROLES)
def caller(request: pytest.FixtureRequest, make: Make) -> Caller:
    """Somebody of each role, in a shop that has something to sell."""
    for name in ("Mug", "Bowl", "Plate"):
        make.product(name, stock=1_000_000)
    return ROLES[request.param](make)


@schema.parametrize()
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_an_operation_answers_only_what_its_schema_says(
    case: schemathesis.Case[Any], app: ShopApp, caller: Caller
) -> None:
    headers = {"Authorization": f"Bearer {caller.token}"} if caller.token else {}

    case.call_and_validate(app=app, headers=headers, checks=CHECKS)
