"""`PATCH` and `PUT /products/{id}`: what is given changes, what is not stays."""

from decimal import Decimal

import pytest
from sqlalchemy import select

from flaskart.inventory.models import StockLevel, StockMovement
from flaskart.kit.db import Database
from tests.callers import Caller, Make

METHODS = pytest.mark.parametrize("method", ["PATCH", "PUT"])
CHANGES = [
    ("name", "Copper mug"),
    ("price", Decimal("24.50")),
    ("price", 0),
    ("description", "Holds tea."),
    ("description", ""),
    ("stock", 3),
    ("stock", 0),
    ("slug", "copper-mug"),
    ("sku", "MUG-2"),
]
BAD = [
    ("name", ""),
    ("name", "nul\0"),
    ("price", -1),
    ("price", Decimal("19.999")),
    ("price", "5"),
    ("price", True),
    ("stock", -1),
    ("stock", 1.5),
    ("slug", "123"),
    ("sku", ""),
    ("description", 5),
    ("status", "draft"),
    ("currency", "EUR"),
    ("id", 7),
]


def without_times(product: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in product.items() if name not in ("updated_at", "variants")}


@METHODS
@pytest.mark.parametrize(("member", "value"), CHANGES)
def test_one_member_changes_and_leaves_the_others_as_they_were(
    make: Make, anyone: Caller, method: str, member: str, value: object
) -> None:
    boss = make.staff()
    before = boss.post("/products", {"name": "Mug", "price": 1, "description": "Blue.", "stock": 9}).json["product"]

    answer = boss.call(method, "/products/1", {member: value})

    assert answer.status == 200
    assert answer.json["msg"] == "Product updated"
    after = answer.json["product"]
    assert without_times(after) == without_times(before) | {member: value}
    # Stock is not the product's own; sales change it all the time.
    assert (after["updated_at"] > before["updated_at"]) == (member != "stock")
    assert anyone.get("/products/1").json["product"] == after


@METHODS
def test_all_members_change_at_once(make: Make, anyone: Caller, method: str) -> None:
    boss, mug = make.staff(), make.product("Mug")
    change = dict(CHANGES)

    answer = boss.call(method, f"/products/{mug}", change)

    assert answer.status == 200
    product = anyone.get(f"/products/{mug}").json["product"]
    assert {member: product[member] for member in change} == change
    assert [{**variant, "id": 0} for variant in product["variants"]] == [
        {"id": 0, "sku": "MUG-2", "price": 0, "currency": "USD", "stock": 0}
    ]


@METHODS
def test_a_product_is_edited_by_its_slug_too(make: Make, anyone: Caller, method: str) -> None:
    boss, mug, bowl = make.staff(), make.product("Mug"), make.product("Bowl")

    answer = boss.call(method, "/products/mug", {"name": "Cup", "slug": "cup"})

    assert answer.status == 200
    assert anyone.get("/products/cup").json["product"]["id"] == mug
    assert anyone.get(f"/products/{bowl}").json["product"]["name"] == "Bowl"


@METHODS
@pytest.mark.parametrize("change", [{}, {"name": "Mug"}, {"price": 19.99}, {"name": "Mug", "slug": "mug"}])
def test_a_change_of_nothing_changes_nothing(make: Make, method: str, change: dict[str, object]) -> None:
    boss, mug = make.staff(), make.product("Mug")
    before = boss.get(f"/products/{mug}")

    answer = boss.call(method, f"/products/{mug}", change)

    assert answer.status == 200
    assert answer.json["product"] == before.json["product"]
    assert boss.get(f"/products/{mug}").headers["ETag"] == before.headers["ETag"]


def test_the_slug_stays_when_the_name_changes(make: Make, anyone: Caller) -> None:
    boss, mug = make.staff(), make.product("Enamel mug")

    boss.patch(f"/products/{mug}", {"name": "Copper mug"})

    assert anyone.get("/products/enamel-mug").json["product"]["name"] == "Copper mug"
    assert anyone.get("/products/copper-mug").status == 404


def test_a_product_may_keep_its_own_slug_and_sku(make: Make) -> None:
    boss, mug = make.staff(), make.product("Mug")
    product = boss.get(f"/products/{mug}").json["product"]

    answer = boss.patch(f"/products/{mug}", {"slug": product["slug"], "sku": product["sku"]})

    assert answer.status == 200
    assert without_times(answer.json["product"]) == without_times(product)


@METHODS
@pytest.mark.parametrize(("member", "code"), [("slug", "slug_taken"), ("sku", "sku_taken")])
def test_the_slug_or_sku_of_another_product_is_refused(make: Make, method: str, member: str, code: str) -> None:
    boss, mug, bowl = make.staff(), make.product("Mug"), make.product("Bowl")
    taken = boss.get(f"/products/{bowl}").json["product"][member]
    before = make.everything()

    answer = boss.call(method, f"/products/{mug}", {"name": "Cup", "price": 5, "stock": 1, member: taken})

    assert answer.status == 409
    assert answer.json["code"] == code
    assert [error["pointer"] for error in answer.json["errors"]] == [f"/{member}"]
    assert make.everything() == before


@pytest.mark.parametrize("stock", [0, 4, 6, 25])
def test_stock_is_what_can_be_sold_besides_what_is_promised(make: Make, db: Database, stock: int) -> None:
    boss, alice, mug = make.staff(), make.customer(), make.product("Mug", stock=10)
    alice.post("/cart", {"product_id": mug, "quantity": 4})
    alice.post("/orders")
    assert make.stock_of(mug) == 6

    answer = boss.patch(f"/products/{mug}", {"stock": stock})

    assert answer.json["product"]["stock"] == stock
    assert make.stock_of(mug) == stock
    with db.read() as session:
        assert session.execute(select(StockLevel.on_hand, StockLevel.allocated)).all() == [(stock + 4, 4)]


def test_the_ledger_explains_a_corrected_stock(make: Make, db: Database) -> None:
    boss, mug = make.staff(), make.product("Mug", stock=10)

    for stock in (12, 12, 3):
        boss.patch(f"/products/{mug}", {"stock": stock})

    with db.read() as session:
        ledger = session.execute(select(StockMovement.kind, StockMovement.on_hand_delta).order_by(StockMovement.id))
        assert ledger.all() == [("received", 10), ("adjusted", 2), ("adjusted", -9)]


@METHODS
def test_a_bad_or_unknown_member_is_refused(make: Make, method: str) -> None:
    boss, mug = make.staff(), make.product("Mug")
    before = make.everything()

    for member, value in BAD:
        answer = boss.call(method, f"/products/{mug}", {"description": "Blue."} | {member: value})

        assert answer.status == 422, (member, value)
        assert [error["pointer"] for error in answer.json["errors"]] == [f"/{member}"], value
    assert make.everything() == before


@METHODS
def test_an_unknown_product_is_not_found(make: Make, method: str) -> None:
    boss, mug = make.staff(), make.product("Mug")
    assert mug == 1
    before = make.everything()

    for product_id in ("2", "0", "9223372036854775807", "9223372036854775808", "bowl", "mug%00"):
        answer = boss.call(method, f"/products/{product_id}", {"name": "Cup"})

        assert (answer.status, answer.json["msg"]) == (404, "Product not found")
    assert make.everything() == before


@METHODS
def test_only_staff_edit_products(make: Make, method: str) -> None:
    alice, mug = make.customer(), make.product("Mug")
    before = make.everything()

    refused = [caller.call(method, f"/products/{mug}", {"price": 0}) for caller in (alice, make.anyone())]

    assert [answer.status for answer in refused] == [403, 401]
    assert make.everything() == before
