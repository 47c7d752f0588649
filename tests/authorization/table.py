"""What each route needs and what it is about: one line for each. A route without its line fails the tests."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from flaskart.accounts import actions as accounts
from flaskart.accounts.models import StaffRole
from flaskart.cart.actions import add_item
from flaskart.checkout.actions import place_order
from flaskart.kit.actor import OF_EVERYONE, Actor, Permission
from flaskart.web.auth import ANYONE, Access
from tests.callers import PASSWORD, Caller, Make

Id = int | str
MISSING = 999_999_999
_numbers = count(1)


@dataclass(frozen=True)
class Thing:
    """What a request is about. `make` makes one for a caller; `is_owned` says that others do not find it."""

    make: Callable[[Make, Caller], Id]
    is_owned: bool = False
    missing: Id = MISSING


@dataclass(frozen=True)
class Row:
    """A route: the permission it needs, what its path names, and a body and status with which it succeeds."""

    access: Access
    thing: Thing | None = None
    body: Mapping[str, Any] | Callable[[Id], Mapping[str, Any]] | None = None
    status: int = 200

    def body_for(self, thing: Id) -> Mapping[str, Any] | None:
        return self.body(thing) if callable(self.body) else self.body


def unique(name: str) -> str:
    return f"{name}_{next(_numbers)}"


def _line_in_cart(make: Make, caller: Caller) -> int:
    product_id = make.product(unique("Mug"))
    with make.db.write() as session:
        add_item(session, _owner(caller), quantity=1, currency="USD", product_id=product_id)
    return product_id


def _order(make: Make, caller: Caller) -> int:
    _line_in_cart(make, caller)
    with make.db.write() as session:
        return int(place_order(session, _owner(caller)).order.id)


def _role(make: Make, _caller: Caller) -> int:
    role = StaffRole(name=unique("role"), permissions="staff.write", is_built_in=False)
    with make.db.write() as session:
        session.add(role)
    return role.id


def _key(make: Make, caller: Caller) -> int:
    with make.db.write() as session:
        scopes = frozenset({Permission.SHOPPING})
        return accounts.create_key(session, _owner(caller), name="robot", scopes=scopes).key.id


def _refresh_token(make: Make, _caller: Caller) -> str:
    account = make.customer(unique("account"))
    with make.db.write() as session:
        return accounts.begin_sign_in(session, account.customer_id, valid_seconds=60).refresh_token


def _username(make: Make, _caller: Caller) -> str:
    name = unique("account")
    make.customer(name)
    return name


def _owner(caller: Caller) -> Actor:
    return Actor(caller.customer_id, OF_EVERYONE, "")


def _file(name: str) -> Thing:
    return Thing(lambda _make, _caller: name, missing="nothing.css")


PRODUCT = Thing(lambda make, _caller: make.product(unique("Mug")))
ACCOUNT = Thing(lambda make, _caller: make.customer(unique("account")).customer_id)
ROLE = Thing(_role)
CART_LINE = Thing(_line_in_cart, is_owned=True)
ORDER = Thing(_order, is_owned=True)
API_KEY = Thing(_key, is_owned=True)
REFRESH_TOKEN = Thing(_refresh_token)
USERNAME = Thing(_username)

OWN = Permission.ACCOUNT
SHOP = Permission.SHOPPING
CATALOG = Permission.CATALOG_WRITE
STAFF = Permission.STAFF_WRITE
KEYS = Permission.KEYS_WRITE

TABLE: Mapping[str, Row] = {
    "GET /healthz": Row(ANYONE),
    "GET /readyz": Row(ANYONE),
    "GET /openapi.json": Row(ANYONE),
    "GET /docs": Row(ANYONE),
    "GET /docs/own/{name}": Row(ANYONE, _file("docs.css")),
    "GET /docs/swagger/{name}": Row(ANYONE, _file("css/swagger-ui.css")),
    "POST /auth/register": Row(
        ANYONE, USERNAME, lambda n: {"username": f"x{n}", "email": f"x{n}@example.com", "password": PASSWORD}, 201
    ),
    "POST /auth/login": Row(ANYONE, USERNAME, lambda name: {"username": name, "password": PASSWORD}),
    "POST /auth/refresh": Row(ANYONE, REFRESH_TOKEN, lambda token: {"refresh_token": token}),
    "POST /auth/logout": Row(ANYONE, REFRESH_TOKEN, lambda token: {"refresh_token": token}),
    "GET /account": Row(OWN),
    "PATCH /account": Row(OWN, USERNAME, lambda name: {"username": f"x{name}"}),
    "DELETE /account": Row(OWN),
    "POST /account/password": Row(OWN, body={"current_password": PASSWORD, "new_password": "battery staple"}),
    "GET /products": Row(ANYONE, PRODUCT),
    "GET /products/{product_id}": Row(ANYONE, PRODUCT),
    "POST /products": Row(CATALOG, body={"name": "Cup", "price": 5}, status=201),
    "PATCH /products/{product_id}": Row(CATALOG, PRODUCT, {"price": 5}),
    "PUT /products/{product_id}": Row(CATALOG, PRODUCT, {"price": 5}),
    "DELETE /products/{product_id}": Row(CATALOG, PRODUCT),
    "GET /cart": Row(SHOP, CART_LINE),
    "POST /cart": Row(SHOP, PRODUCT, lambda product_id: {"product_id": product_id}),
    "PATCH /cart/{product_id}": Row(SHOP, CART_LINE, {"quantity": 2}),
    "DELETE /cart/{product_id}": Row(SHOP, CART_LINE),
    "DELETE /cart/clear": Row(SHOP, CART_LINE),
    "POST /orders": Row(SHOP, CART_LINE, {}, 201),
    "GET /orders": Row(SHOP, ORDER),
    "GET /orders/history": Row(SHOP, ORDER),
    "GET /orders/{order_id}": Row(SHOP, ORDER),
    "POST /orders/{order_id}/cancel": Row(SHOP, ORDER),
    "GET /admin/roles": Row(Permission.STAFF_READ),
    "POST /admin/roles": Row(STAFF, body={"name": "cook", "permissions": ["staff.write"]}, status=201),
    "PATCH /admin/roles/{role_id}": Row(STAFF, ROLE, {"permissions": ["staff.write"]}),
    "DELETE /admin/roles/{role_id}": Row(STAFF, ROLE),
    "GET /admin/staff": Row(Permission.STAFF_READ),
    "PUT /admin/staff/{customer_id}/roles": Row(STAFF, ACCOUNT, {"roles": []}),
    "GET /admin/keys": Row(KEYS, API_KEY),
    "POST /admin/keys": Row(KEYS, body={"name": "robot", "scopes": ["shopping"]}, status=201),
    "GET /admin/keys/{key_id}": Row(KEYS, API_KEY),
    "PATCH /admin/keys/{key_id}": Row(KEYS, API_KEY, {"name": "rover"}),
    "DELETE /admin/keys/{key_id}": Row(KEYS, API_KEY),
    "POST /admin/keys/{key_id}/rotate": Row(KEYS, API_KEY, {"overlap_seconds": 60}),
}
