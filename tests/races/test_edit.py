"""Staff edit a product while it is ordered: neither keeps the other waiting, nor waits in a circle."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from flaskart.catalog.models import Product
from flaskart.inventory.queries import lock_levels
from flaskart.kit.db import Database, Session
from tests.callers import Make
from tests.databases import wait_until_blocked
from tests.races.crowd import is_postgresql


def order_line_of(session: Session, product_id: int) -> None:
    """Lock a product as writing an order line of it does, for which it must neither vanish nor change its keys."""
    session.scalars(select(Product.id).where(Product.id == product_id).with_for_update(read=True, key_share=True)).one()


@pytest.mark.parametrize("edit", [{"stock": 5}, {"price": 25}, {"name": "Copper mug"}])
def test_an_edit_does_not_wait_for_orders_under_way(make: Make, db: Database, edit: dict[str, object]) -> None:
    boss, mug = make.staff(), make.product()
    under_way = db.write if is_postgresql(db) else db.read  # on SQLite whoever writes comes after the order

    with under_way() as session:
        order_line_of(session, mug)
        answer = boss.patch(f"/products/{mug}", edit)

    assert answer.status == 200


@pytest.mark.parametrize("edit", [{"slug": "copper-mug"}, {"sku": "MUG-2"}])
def test_a_new_key_waits_for_orders_under_way_and_does_not_stop_them(
    make: Make, db: Database, edit: dict[str, object]
) -> None:
    boss, mug = make.staff(), make.product()

    with ThreadPoolExecutor(1) as pool:
        with db.write() as session:
            order_line_of(session, mug)
            editing = pool.submit(boss.patch, f"/products/{mug}", edit)
            wait_until_blocked(db)
            assert len(lock_levels(session, [1])) == 1  # as the order does last: would be a deadlock if it waited
        answer = editing.result()

    assert answer.status == 200
