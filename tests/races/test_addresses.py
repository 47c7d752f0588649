"""Of many addresses that become the default at once one does, and a book gets no fuller than it may."""

from functools import partial

from sqlalchemy import insert

from flaskart.accounts.models import MAX_ADDRESSES, Address
from flaskart.kit import clock
from flaskart.kit.db import Database
from tests.accounts.test_addresses import BERLIN, defaults
from tests.callers import Make
from tests.races.crowd import at_once


def test_of_many_defaults_at_once_one_is_left(make_over_http: Make) -> None:
    alice = make_over_http.customer()
    add = partial(alice.post, "/account/addresses", BERLIN | {"is_default_shipping": True, "is_default_billing": True})
    added = at_once([add] * 8)
    paths = [f"/account/addresses/{answer.json['address']['id']}" for answer in added]

    chosen = at_once([partial(alice.patch, path, {"is_default_shipping": True}) for path in paths * 2])

    assert [answer.status for answer in added] == [201] * 8
    assert [answer.status for answer in chosen] == [200] * 16
    assert [len(ids) for ids in defaults(alice)] == [1, 1]


def test_the_last_free_place_is_taken_once(make_over_http: Make, db: Database) -> None:
    alice = make_over_http.customer()
    flags = {"is_default_shipping": False, "is_default_billing": False}
    times = {"created_at": clock.now(), "updated_at": clock.now()}
    row = BERLIN | {"customer_id": alice.customer_id, "company": "", "district": "", "region": "", "phone": ""}
    with db.write() as session:
        session.execute(insert(Address), [row | flags | times] * (MAX_ADDRESSES - 1))

    answers = at_once([partial(alice.post, "/account/addresses", BERLIN)] * 8)

    assert sorted(answer.status for answer in answers) == [201] + [409] * 7
    assert len(alice.get("/account/addresses").json["addresses"]) == MAX_ADDRESSES
