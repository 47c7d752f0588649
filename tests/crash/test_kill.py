"""The server is killed at random moments while customers order: what they were told holds."""

import random
import time
from pathlib import Path

from flaskart.kit.db import Database
from tests.callers import Make
from tests.crash.buyers import TOKENS, Crowd
from tests.crash.shop import Shop
from tests.crash.verdict import see_that_all_is_exact, see_that_nothing_is_lost

KILLS, ORDERS = 3, 120
SOAK_KILLS, SOAK_ORDERS = 50, 3_000
LONGEST_ORDER_SECONDS = 0.05


def test_no_acknowledged_order_is_lost_when_the_server_is_killed(
    database_url: str, db: Database, tmp_path: Path, is_soak: bool
) -> None:
    kills, orders = (SOAK_KILLS, SOAK_ORDERS) if is_soak else (KILLS, ORDERS)
    shop = Shop(database_url, tmp_path)
    make = Make(db, TOKENS, shop.send)
    crowd = Crowd.gathered(make)
    db.close()  # while the shop lies dead nobody else has its database open: it must repair it by itself

    with shop.opened():
        with crowd.shopping() as receipts:
            for moment in sorted(random.sample(range(orders), kills)):
                receipts.wait_for_orders(moment)
                time.sleep(random.uniform(0, LONGEST_ORDER_SECONDS))  # anywhere in the making of an order
                shop.kill()
                told = receipts.so_far()
                shop.start()
                see_that_nothing_is_lost(db, told)
                db.close()
            receipts.wait_for_orders(orders)

        assert receipts.outcomes["no answer"] >= kills
        see_that_all_is_exact(make, crowd, receipts.so_far())
