"""Sixteen members of staff write at the same moment, in two processes: their entries make one chain."""

from collections import Counter

from flaskart.kit.audit import verify
from flaskart.kit.db import Database
from tests.audit.logs import entries_of
from tests.callers import Caller, Make
from tests.races.conftest import MakeWithout
from tests.races.crowd import at_once, is_postgresql, until_broken

PEOPLE = 16


def write_at_once(make: Make, staff: list[Caller], stock: int) -> Counter[int]:
    """Have each of the staff correct the stock of a product of theirs, for which nothing but the log is shared."""
    mugs = [make.product(f"Mug {stock} {place}", stock=stock) for place in range(len(staff))]
    calls = [
        lambda caller=caller, mug=mug: caller.patch(f"/products/{mug}", {"stock": stock + 1})
        for caller, mug in zip(staff, mugs, strict=True)
    ]
    return Counter(answer.status for answer in at_once(calls))


def test_entries_written_at_once_make_one_unbroken_chain(make_over_http: Make, db: Database, is_soak: bool) -> None:
    staff = [make_over_http.staff(f"boss{number}") for number in range(PEOPLE)]

    for number in range(25 if is_soak else 2):
        assert write_at_once(make_over_http, staff, number) == {200: PEOPLE}

        newest = entries_of(db)[-PEOPLE:]
        assert sorted(entry.actor_id for entry in newest) == sorted(caller.customer_id for caller in staff)
        with db.read() as session:
            assert verify(session).broken is None


def test_without_the_lock_of_its_head_writes_break_on_postgresql(make_without: MakeWithout) -> None:
    make = make_without("audit_head")
    staff = [make.staff(f"boss{number}") for number in range(PEOPLE)]

    def breaks(number: int) -> bool:
        return write_at_once(make, staff, number) != {200: PEOPLE}

    assert until_broken(make.db, breaks) == is_postgresql(make.db)
