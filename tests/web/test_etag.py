"""Entity tags: nothing is sent twice, and nobody's edit is lost."""

from concurrent.futures import ThreadPoolExecutor

from flaskart.inventory.actions import Demand, allocate
from flaskart.inventory.queries import lock_levels
from flaskart.kit.db import Database
from tests.callers import Caller, Make
from tests.databases import wait_until_blocked


def test_an_unchanged_product_is_not_sent_again(anyone: Caller, make: Make) -> None:
    make.product()
    for path in ("/products", "/products/1", "/products/mug"):
        first = anyone.get(path)

        again = anyone.get(path, If_None_Match=first.headers["ETag"])

        assert (first.status, again.status) == (200, 304)
        assert again.body == b""
        assert again.headers["ETag"] == first.headers["ETag"]


def test_a_sale_changes_the_tag(anyone: Caller, make: Make) -> None:
    mug = make.product(stock=5)
    tag = anyone.get("/products/1").headers["ETag"]
    alice = make.customer()
    alice.post("/cart", {"product_id": mug})
    assert alice.post("/orders").status == 201

    answer = anyone.get("/products/1", If_None_Match=tag)

    assert answer.status == 200
    assert answer.json["product"]["stock"] == 4


def test_a_stale_edit_is_refused_and_changes_nothing(make: Make) -> None:
    make.product()
    boss = make.staff()
    tag = boss.get("/products/1").headers["ETag"]
    assert boss.patch("/products/1", {"name": "Cup"}, If_Match=tag).status == 200

    for stale in (
        boss.patch("/products/1", {"name": "Bowl"}, If_Match=tag),
        boss.put("/products/1", {"name": "Bowl"}, If_Match=tag),
        boss.delete("/products/1", If_Match=tag),
    ):
        assert (stale.status, stale.json["code"]) == (412, "precondition_failed")

    assert boss.get("/products/1").json["product"]["name"] == "Cup"


def test_an_edit_waits_for_a_sale_under_way_and_finds_itself_stale(make: Make, db: Database) -> None:
    mug, boss = make.product(stock=5), make.staff()
    tag = boss.get("/products/1").headers["ETag"]
    sale = Demand(variant_id=1, product_id=mug, name="Mug", quantity=1, is_for_sale=True)

    with ThreadPoolExecutor(1) as pool:
        with db.write() as session:
            allocate(session, [sale], reference="test")
            lock_levels(session, [1])
            edit = pool.submit(boss.patch, "/products/1", {"stock": 9}, If_Match=tag)
            wait_until_blocked(db)
        answer = edit.result()

    assert (answer.status, answer.json["code"]) == (412, "precondition_failed")
    assert make.stock_of(mug) == 4


def test_any_state_matches_a_star(make: Make) -> None:
    make.product()

    assert make.staff().patch("/products/1", {"name": "Cup"}, If_Match="*").status == 200


def test_an_edit_without_a_condition_is_done(make: Make) -> None:
    make.product()

    assert make.staff().patch("/products/1", {"name": "Cup"}).json["product"]["name"] == "Cup"
