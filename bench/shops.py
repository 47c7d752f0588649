"""A shop to measure: its catalogue, and shoppers who are signed in, whose carts can be filled as often as wanted."""

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import Delete, delete, insert, select
from tests.callers import PASSWORD_HASH, Answer, Caller, Make, in_process

from bench.load import NotMeasured, Request
from bench.servers import SCRIPTS, SECRET, TOKEN_SECONDS, environment
from flaskart.accounts import actions as accounts
from flaskart.app import create_app
from flaskart.cart.models import Cart, CartLine
from flaskart.catalog.models import Product, Variant
from flaskart.inventory.actions import set_available
from flaskart.kit import clock
from flaskart.kit.db import Database
from flaskart.settings import Settings
from flaskart.web.http import KEY
from flaskart.web.openapi import ShopApp
from flaskart.web.tokens import AccessTokens

LINES = 500  # of the long cart and the long order; so many products never sell out
ENDLESS = 1_000_000


@dataclass(frozen=True, slots=True)
class Shopper:
    customer_id: int
    token: str


@dataclass(frozen=True, slots=True)
class Item:
    product_id: int
    variant_id: int


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop, opened in this process too. Its `items` never sell out."""

    url: str
    products: int
    app: ShopApp
    make: Make
    boss: Caller
    items: Sequence[Item]

    @property
    def db(self) -> Database:
        return self.make.db

    def close(self) -> None:
        self.db.close()

    def slug_of(self, product_id: int) -> str:
        with self.db.read() as session:
            return session.scalars(select(Product.slug).where(Product.id == product_id)).one()

    def sign_in(self, name: str, count: int) -> list[Shopper]:
        """Register so many shoppers and sign them in, in one transaction."""
        with self.db.write() as session:
            ids = []
            for number in range(count):
                username = f"{name}{number}"
                account = accounts.register(
                    session, username=username, email=f"{username}@example.com", password_hash=PASSWORD_HASH
                )
                sign_in = accounts.begin_sign_in(session, account.id, valid_seconds=TOKEN_SECONDS)
                ids.append((account.id, sign_in.session_id))
        return [Shopper(customer_id, self.make.tokens.sign(customer_id, session)) for customer_id, session in ids]

    def fill_carts(self, shoppers: Sequence[Shopper], choose: Callable[[int], Sequence[int]]) -> None:
        """Give each shopper a new cart with one piece of each variant that `choose` names for their number."""
        now = clock.now()
        carts = [
            {"customer_id": shopper.customer_id, "currency": "USD", "version": 1, "created_at": now, "updated_at": now}
            for shopper in shoppers
        ]
        with self.db.write() as session:
            session.execute(_open_carts_of(shoppers))
            opened = session.execute(insert(Cart).returning(Cart.id), carts).scalars().all()
            lines = [
                {"cart_id": cart_id, "variant_id": variant_id, "quantity": 1}
                for number, cart_id in enumerate(opened)
                for variant_id in choose(number)
            ]
            session.execute(insert(CartLine), lines)

    def empty_carts(self, shoppers: Sequence[Shopper]) -> None:
        with self.db.write() as session:
            session.execute(_open_carts_of(shoppers))

    def change_catalogue(self) -> None:
        """Edit a product, as staff would, so that no page that was kept is good any more."""
        description = f"Edited at {clock.now().isoformat()}"
        answer = self.boss.patch(f"/products/{self.items[0].product_id}", {"description": description})
        if answer.status != 200:
            raise NotMeasured(f"the catalogue could not be changed: {answer.status} {answer.body!r}")

    def answer(self, request: Request) -> Answer:
        """Send a request in process.

        Raises:
            NotMeasured: the answer is an error.
        """
        answer = self.make.send(request.method, request.path, request.body or None, request.headers)
        if answer.status >= 400:
            raise NotMeasured(f"{request.method} {request.path}: {answer.status} {answer.body!r}")
        return answer


def open_shop(url: str, products: int, folder: Path) -> Shop:
    """Make a shop with a demo catalogue, as users do, and open it."""
    for command in (["init"], ["demo", "--products", str(products)]):
        flaskart = [str(SCRIPTS / "flaskart"), *command]
        done = subprocess.run(flaskart, env=environment(url), cwd=folder, check=False, capture_output=True, text=True)
        if done.returncode:
            raise NotMeasured(f"flaskart {command[0]}: {done.stderr.strip()}")
    settings = Settings(_env_file=None, database_url=url, secret_key=SecretStr(SECRET), rate_limits="off")
    app = create_app(settings)
    tokens = AccessTokens.with_secret(SECRET.encode(), TOKEN_SECONDS)
    make = Make(app.extensions[KEY].db, tokens, in_process(app.test_client(use_cookies=False)))
    return prepared(Shop(url, products, app, make, make.staff(), items=[]))


def prepared(shop: Shop) -> Shop:
    """Give a shop's first products more stock than will ever be sold; they are its items."""
    with shop.db.write() as session:
        rows = session.execute(select(Variant.product_id, Variant.id).order_by(Variant.product_id).limit(LINES)).all()
        for _product_id, variant_id in rows:
            set_available(session, variant_id, ENDLESS)
    return replace(shop, items=[Item(product_id, variant_id) for product_id, variant_id in rows])


def _open_carts_of(shoppers: Sequence[Shopper]) -> Delete:
    """Return the statement that removes their carts; they were registered one after the other."""
    first, last = shoppers[0].customer_id, shoppers[-1].customer_id
    return delete(Cart).where(Cart.completed_at.is_(None), Cart.customer_id.between(first, last))
