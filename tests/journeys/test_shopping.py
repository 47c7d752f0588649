"""The story the shop exists for, from registration to the kept order."""

from decimal import Decimal

from tests.callers import Caller, Make


def test_a_customer_registers_fills_a_cart_and_orders(anyone: Caller, make: Make) -> None:
    mug = make.product("Enamel mug", price="19.99", stock=5)
    bowl = make.product("Bowl", price="7.50", stock=5)

    registered = anyone.post(
        "/auth/register", {"username": "ada", "email": "ada@example.com", "password": "long enough"}
    )
    assert registered.status == 201
    assert registered.json["msg"] == "User registered successfully"
    tokens = anyone.post("/auth/login", {"username": "ada", "password": "long enough"})
    assert tokens.status == 200
    ada = Caller(anyone.send, tokens.json["access_token"])
    assert [product["name"] for product in ada.get("/products").json["products"]] == ["Enamel mug", "Bowl"]
    assert ada.post("/cart", {"product_id": mug, "quantity": 2}).status == 200
    added = ada.post("/cart", {"product_id": bowl})
    assert added.json["msg"] == "Product added to cart"
    assert added.json["total"] == Decimal("47.48")
    placed = ada.post("/orders")
    assert placed.status == 201
    assert placed.json["msg"] == "Order placed successfully"

    assert ada.get("/cart").json["cart"] == []
    order = ada.get(f"/orders/{placed.json['order_id']}").json["order"]
    assert [(item["product_name"], item["quantity"]) for item in order["items"]] == [("Enamel mug", 2), ("Bowl", 1)]
    assert order["total"] == Decimal("47.48")
    assert make.stock_of(mug) == 3
