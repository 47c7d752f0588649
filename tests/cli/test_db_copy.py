"""`flaskart db copy`: a shop moves to another database, from each engine to each."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from flaskart import migrations
from flaskart.cli import cli
from flaskart.cli.goods import make_goods
from flaskart.invariants import check_invariants
from flaskart.kit.db import Database
from flaskart.kit.tables import Table
from flaskart.listings.actions import NewListing, add_listings
from flaskart.migrations import runner
from flaskart.transfer import BATCH, Copied, TransferError, copy_shop
from tests.callers import Caller, Make
from tests.cli.shells import Shell
from tests.conftest import ENGINES, shop_at
from tests.databases import SqliteTemplate, empty_database, engine_of
from tests.workers import shops_worker

REFUSED = "flaskart: the target has data already: a shop is copied into an empty database"
SPOILED_ON_ARRIVAL = {
    "sqlite": [
        "CREATE TRIGGER spoil AFTER INSERT ON product BEGIN UPDATE product SET name = 'Cup' WHERE id = new.id; END"
    ],
    "postgresql": [
        "CREATE FUNCTION spoil() RETURNS trigger AS 'BEGIN new.name := ''Cup''; RETURN new; END' LANGUAGE plpgsql",
        "CREATE TRIGGER spoil BEFORE INSERT ON product FOR EACH ROW EXECUTE FUNCTION spoil()",
    ],
}


@pytest.fixture(params=ENGINES)
def target_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, on each engine whatever the shop's."""
    with empty_database(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def buyer(make: Make) -> Caller:
    """A customer with one order, in a shop that has removed its newest product."""
    product_id = make.product("Müg 🍵", price="19.99", stock=10)
    removed = make.product("Bowl")
    buyer = make.customer("alice")
    assert buyer.post("/cart", {"product_id": product_id, "quantity": 2}).status == 200
    assert buyer.post("/orders", Idempotency_Key="one").status == 201
    assert make.staff().delete(f"/products/{removed}").status == 200
    return buyer


def move(source: Database, url: str) -> list[Copied]:
    """Do what `flaskart db copy` does, without starting a process."""
    target = Database(url)
    try:
        return copy_shop(source, target, lambda _done, _total: None)
    finally:
        target.close()


def order_one(buyer: Caller) -> dict[str, object]:
    """Order one piece of the first product and return the order, but for its date."""
    assert buyer.post("/cart", {"product_id": 1, "quantity": 1}).status == 200
    placed = buyer.post("/orders")
    assert placed.status == 201
    return {name: value for name, value in placed.json["order"].items() if name != "date"}


def test_every_row_arrives_and_what_was_done_is_told(
    shop: Shell, buyer: Caller, make: Make, database_url: str, target_url: str
) -> None:
    everything = make.everything()

    printed = shop.done("db", "copy", database_url, target_url).splitlines()

    assert make.everything() == everything
    with shop_at(target_url) as copy:
        assert copy.everything() == everything
        with copy.db.read() as session:
            assert check_invariants(session) == []
        runner.check(copy.db)
    told = {table: int(rows) for table, rows, _ in (line.split() for line in printed[1:-1])}
    assert told == {table: len(rows) for table, rows in everything.items()}
    assert told.keys() == Table.metadata.tables.keys()
    assert printed[-1] == f"Copied {sum(told.values())} rows; both databases hold the same."


def test_the_copy_goes_on_where_the_shop_was(buyer: Caller, make: Make, target_url: str) -> None:
    move(make.db, target_url)

    with shop_at(target_url) as copy:
        known = Caller(copy.send, buyer.token)
        assert known.get("/orders/1").json == buyer.get("/orders/1").json
        assert known.post("/orders", Idempotency_Key="one").headers["Idempotency-Replayed"] == "true"
        assert order_one(known) == order_one(buyer)
        # The id of the product that was removed is not given again.
        assert copy.product("Cup") == make.product("Cup") == 3


def test_more_rows_than_fit_in_a_batch_arrive(make: Make, target_url: str) -> None:
    goods = make_goods(2 * BATCH + 1)
    with make.db.write() as session:
        listings = [NewListing(good.name, good.slug, good.description, 1_999, "USD", good.stock) for good in goods]
        add_listings(session, listings)

    copied = move(make.db, target_url)

    assert {done.table: done.rows for done in copied}["product"] == 2 * BATCH + 1
    with shop_at(target_url) as copy:
        assert copy.everything() == make.everything()


def test_a_copy_is_of_one_moment(buyer: Caller, make: Make, target_url: str) -> None:
    before = make.everything()
    reports = list[tuple[int, int]]()

    def order_meanwhile(done: int, total: int) -> None:
        reports.append((done, total))
        if len(reports) == 1:
            order_one(buyer)

    target = Database(target_url)
    copy_shop(make.db, target, order_meanwhile)
    target.close()

    with shop_at(target_url) as copy:
        assert copy.everything() == before
    total = 2 * sum(len(rows) for rows in before.values())
    assert reports[-1] == (total, total)


def test_a_target_with_data_is_refused_and_stays_as_it_is(
    shop: Shell, buyer: Caller, database_url: str, target_url: str
) -> None:
    target = Database(target_url)
    runner.upgrade(target)
    target.close()
    with shop_at(target_url) as other:
        other.product("Bowl")
        before = other.everything()

        assert shop.refused("db", "copy", database_url, target_url) == REFUSED

        assert other.everything() == before


def test_a_target_that_only_a_worker_has_been_in_takes_the_jobs_of_the_source(
    make: Make, db: Database, target_url: str
) -> None:
    target = Database(target_url)
    runner.upgrade(target)
    for shop in (db, target):
        shops_worker(shop).set_up()
    target.close()
    before = make.everything()

    move(db, target_url)

    with shop_at(target_url) as other:
        assert other.everything() == before


def test_a_shop_is_not_copied_onto_itself(buyer: Caller, make: Make, database_url: str) -> None:
    before = make.everything()

    with pytest.raises(TransferError, match="the target has data already"):
        move(make.db, database_url)

    assert make.everything() == before


def test_a_source_of_an_earlier_version_is_refused(database_url: str, target_url: str) -> None:
    earlier = Database(database_url)
    runner.downgrade(earlier, "0005")

    with pytest.raises(TransferError, match="the source is not a shop at this version's schema"):
        move(earlier, target_url)

    earlier.close()
    target = Database(target_url)
    assert migrations.current_revision(target) is None
    target.close()


def test_a_source_that_is_not_there_is_not_made(nowhere: Shell, target_url: str) -> None:
    refusal = nowhere.refused("db", "copy", "sqlite:///mistyped.db", target_url)

    assert refusal == "flaskart: the source is not a shop at this version's schema: run `flaskart init` on it first"
    assert list(nowhere.folder.iterdir()) == []


def test_what_arrives_changed_is_not_kept(buyer: Caller, db: Database, target_url: str) -> None:
    target = Database(target_url)
    runner.upgrade(target)
    with target.write() as session:
        for statement in SPOILED_ON_ARRIVAL[engine_of(target_url)]:
            session.execute(text(statement))

    with pytest.raises(TransferError, match="the rows of product did not arrive as they were sent"):
        copy_shop(db, target, lambda _done, _total: None)

    assert not migrations.has_data(target)
    target.close()


def test_a_row_that_postgresql_cannot_hold_is_named_by_its_table(
    templates: dict[str, SqliteTemplate], nowhere: Shell, tmp_path: Path
) -> None:
    with templates["sqlite"].copy() as source_url, empty_database("postgresql", tmp_path) as target_url:
        with shop_at(source_url) as source:
            source.product("Mug")
            with source.db.write() as session:
                session.execute(text("UPDATE product SET description = :odd"), {"odd": "with a \0 inside"})

        refusal = nowhere.refused("db", "copy", source_url, target_url)

        assert refusal.startswith("flaskart: the target refuses rows of product: ")
        target = Database(target_url)
        assert not migrations.has_data(target)
        target.close()


@pytest.mark.parametrize("url", ["mysql://localhost/shop", "shop.db", "sqlite://"])
def test_what_is_no_database_url_is_a_wrong_call(url: str) -> None:
    result = CliRunner().invoke(cli, ["db", "copy", "sqlite:///shop.db", url])

    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error: Invalid value for 'TARGET_URL': " in result.stderr
