"""No write takes a member that is not its own, whatever a table's column is called (P22)."""

import pytest

from flaskart.cli.reports import describing_app
from flaskart.kit.tables import Table
from tests.authorization.cast import Kind, ask, caller_of
from tests.authorization.fields import deviations
from tests.authorization.table import TABLE
from tests.callers import Answer, Make

WRITES = [route for route in TABLE if not route.startswith("GET ")]
COLUMNS = {column.name for table in Table.metadata.tables.values() for column in table.columns}


def members_of(route: str) -> set[str]:
    """Return the members that a write's body may have."""
    document = describing_app().document
    method, path = route.lower().split()
    body = document["paths"][path][method].get("requestBody")
    if body is None:
        return set()
    reference = body["content"]["application/json"]["schema"]["$ref"]
    return set(document["components"]["schemas"][reference.rpartition("/")[2]]["properties"])


def test_no_write_takes_a_column_for_a_member(make: Make) -> None:
    wrong = []
    for route in WRITES:
        row = TABLE[route]
        caller = caller_of(Kind.STAFF_WITH, row.access, make)
        thing = row.thing.make(make, caller) if row.thing else 0
        foreign = COLUMNS - members_of(route)
        before = make.everything()

        answer = ask(caller, route, row, thing, dict.fromkeys(foreign, 1))

        told = {error["pointer"] for error in answer.json.get("errors", ()) if error["code"] == "extra_forbidden"}
        if answer.status != 422 or told != {f"/{name}" for name in foreign}:
            wrong.append(f"{route} does not refuse {sorted(foreign - {name[1:] for name in told})}: {answer.status}")
        if make.everything() != before:
            wrong.append(f"{route} changed something")
    assert wrong == []


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"msg": "Account deleted"}', []),
        (b'{"msg": "Account deleted", "password_hash": ""}', ["/password_hash is not documented"]),
        (b"{}", ["/msg is missing"]),
    ],
)
def test_a_member_too_many_or_too_few_is_noticed(body: bytes, found: list[str]) -> None:
    answer = Answer(200, {}, body)

    assert list(deviations(describing_app().document, "DELETE /account", answer)) == found
