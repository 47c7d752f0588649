"""Staff remove products while customers order them: everybody gets a clear answer, and nothing is half made."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.callers import Caller, Make

PRODUCTS = 24
BUYERS = 6
# What a buyer may be told: done, nothing in the cart any more, no such product, none left of it.
EXPECTED = {200, 201, 400, 404, 409}


def shop_around(buyer: Caller, seed: int) -> Counter[int]:
    """Put things in the cart and order them, as long as there is anything."""
    choice, answers = random.Random(seed), Counter[int]()
    for _ in range(40):
        added = buyer.post("/cart", {"product_id": choice.randint(1, PRODUCTS)})
        placed = buyer.post("/orders")
        answers.update([added.status, placed.status])
    return answers


def clear_out(boss: Caller) -> Counter[int]:
    return Counter(boss.delete(f"/products/{product_id}").status for product_id in range(1, PRODUCTS + 1))


def test_a_product_may_be_removed_while_it_is_being_ordered(make_over_http: Make) -> None:
    make, boss = make_over_http, make_over_http.staff()
    for number in range(PRODUCTS):
        make.product(f"Mug {number}", stock=1_000)
    buyers = [make.customer(f"buyer{number}") for number in range(BUYERS)]

    with ThreadPoolExecutor(BUYERS + 1) as pool:
        shopping = [pool.submit(shop_around, buyer, seed) for seed, buyer in enumerate(buyers)]
        clearing = pool.submit(clear_out, boss)
        answers = sum((job.result() for job in shopping), Counter[int]())

    assert clearing.result() == {200: PRODUCTS}
    assert set(answers) <= EXPECTED
    assert answers[201] > 0
    assert make.anyone().get("/products").json["products"] == []
