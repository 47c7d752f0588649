"""PostgreSQL is killed and restarted while customers order: they wait, lose nothing, and nobody restarts the shop."""

import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from flaskart.app import create_app
from flaskart.kit.db import Database
from flaskart.web.http import KEY
from tests.callers import Make, in_process
from tests.conftest import settings_of
from tests.crash.buyers import BUYERS, TOKENS, Crowd
from tests.crash.shop import Shop, shop_on
from tests.crash.verdict import see_that_all_is_exact, see_that_nothing_is_lost
from tests.postgres import DURABLE, PostgresServer, start_postgres

KILLS, ORDERS = 2, 120
SOAK_KILLS, SOAK_ORDERS = 20, 2_000


@pytest.fixture
def cluster() -> Iterator[PostgresServer]:
    """A PostgreSQL server of the test's own, which syncs what it commits."""
    server = start_postgres(DURABLE)
    yield server
    server.destroy()


@pytest.fixture
def url(cluster: PostgresServer) -> str:
    return shop_on(cluster)


def test_no_acknowledged_order_is_lost_when_postgresql_is_killed(
    cluster: PostgresServer, url: str, tmp_path: Path, is_soak: bool
) -> None:
    kills, orders = (SOAK_KILLS, SOAK_ORDERS) if is_soak else (KILLS, ORDERS)
    shop, db = Shop(url, tmp_path), Database(url)
    make = Make(db, TOKENS, shop.send)
    crowd = Crowd.gathered(make)

    with shop.opened():
        processes = psutil.Process(shop.running.process.pid).children()
        with crowd.shopping() as receipts:
            for moment in sorted(random.sample(range(orders), kills)):
                receipts.wait_for_orders(moment)
                cluster.kill()
                receipts.wait_for_more(503, BUYERS)
                health = [make.anyone().get(path).status for path in ("/healthz", "/readyz")]
                told = receipts.so_far()
                cluster.start()
                assert health == [200, 503]
                db.close()
                see_that_nothing_is_lost(db, told)
            receipts.wait_for_orders(orders)

        assert set(receipts.outcomes) == {200, 201, 503}
        see_that_all_is_exact(make, crowd, receipts.so_far())
        assert psutil.Process(shop.running.process.pid).children() == processes
    db.close()


def test_nobody_notices_a_restart_of_postgresql_while_the_shop_was_idle(cluster: PostgresServer, url: str) -> None:
    """The connections that are kept open are dead then; what fails on one of them is done over on another."""
    app = create_app(settings_of(url))
    with closing(app.extensions[KEY].db) as db:
        make = Make(db, TOKENS, in_process(app.test_client()))
        alice, mug = make.customer(), make.product()
        assert alice.get("/cart").status == 200

        cluster.kill()
        cluster.start()

        assert alice.get("/cart").status == 200
        assert alice.post("/cart", {"product_id": mug}).status == 200
