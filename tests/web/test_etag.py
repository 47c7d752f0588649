"""Entity tags: nothing is sent twice, and nobody's edit is lost."""

from tests.callers import Caller, Make


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


def test_any_state_matches_a_star(make: Make) -> None:
    make.product()

    assert make.staff().patch("/products/1", {"name": "Cup"}, If_Match="*").status == 200


def test_an_edit_without_a_condition_is_done(make: Make) -> None:
    make.product()

    assert make.staff().patch("/products/1", {"name": "Cup"}).json["product"]["name"] == "Cup"
