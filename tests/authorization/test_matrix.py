"""Each route, each kind of caller, one's own, another's and a missing thing: the answer that the table says (P20).

No answer has a member more or less than documented, whoever asks (P22).
"""

import pytest

from flaskart.cli.reports import describing_app
from flaskart.web.auth import ANYONE
from tests.authorization.cast import Kind, ask, caller_of, lets_in, line_for, routes_of
from tests.authorization.fields import deviations
from tests.authorization.table import TABLE, Row
from tests.authorization.things import unique
from tests.callers import Make

OWN, FOREIGN, MISSING = "own", "another's", "missing"


def expected(row: Row, kind: Kind, which: str) -> int:
    if row.access != ANYONE and kind is Kind.ANONYMOUS:
        return 401
    if not lets_in(row.access, kind):
        return 403
    if row.thing is not None and which == MISSING:
        return row.thing.missing_status
    if row.thing is not None and which == FOREIGN and row.thing.is_owned:
        return 404
    return row.status


def test_every_route_has_its_line_in_the_table() -> None:
    routes = routes_of(describing_app())

    lines = [line_for(route, access) for route, access in routes.items() if route not in TABLE]
    assert lines == [], "add these lines to TABLE in tests/authorization/table.py:\n" + "\n".join(lines)
    assert sorted(TABLE.keys() - routes.keys()) == [], "these routes are gone: take their lines out of TABLE"


def test_every_route_needs_what_the_table_says() -> None:
    routes = routes_of(describing_app())

    assert {route: routes.get(route) for route in TABLE} == {route: row.access for route, row in TABLE.items()}


def test_no_key_gets_at_what_takes_an_account_over() -> None:
    personal = [
        route for route, row in TABLE.items() if route.split()[1].startswith("/account") and row.access != ANYONE
    ]

    open_to_keys = [route for route in personal if lets_in(TABLE[route].access, Kind.WIDE_KEY)]
    assert open_to_keys == [], "mark them @person instead of @shopper"


@pytest.mark.parametrize("kind", Kind)
def test_each_caller_is_let_in_or_refused_as_the_table_says(make: Make, kind: Kind) -> None:
    document = describing_app().document
    wrong = []
    for route, row in TABLE.items():
        for which in (OWN, FOREIGN, MISSING) if "{" in route else (OWN,):
            caller = caller_of(kind, row.access, make)
            owner = make.customer(unique("other")) if which == FOREIGN else caller
            if not owner.customer_id:
                owner = make.customer(unique("somebody"))
            thing = 0 if row.thing is None else row.thing.missing if which == MISSING else row.thing.make(make, owner)
            before = make.everything()
            answer = ask(caller, route, row, thing)
            found = f"{kind}, {route}, {which}"
            if answer.status != expected(row, kind, which):
                wrong.append(f"{found}: {answer.status}, not {expected(row, kind, which)}: {answer.body!r}")
            if answer.status >= 400 and make.everything() != before:
                wrong.append(f"{found}: refused, and yet something changed")
            if answer.status == 403 and answer.json["permission"] != row.access:
                wrong.append(f"{found}: {answer.json['permission']} is not what is missing")
            wrong += [f"{found}: {deviation}" for deviation in deviations(document, route, answer)]
    assert wrong == []
