"""Somebody who calls the API, and what they need to do so."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from flask.testing import FlaskClient
from sqlalchemy import Row, select
from urllib3 import HTTPHeaderDict

from flaskart.accounts import actions as accounts
from flaskart.accounts.models import StaffRole
from flaskart.accounts.passwords import hash_password
from flaskart.kit.actor import Actor, Permission, stored
from flaskart.kit.audit import SYSTEM
from flaskart.kit.db import Database
from flaskart.kit.money import to_minor
from flaskart.kit.tables import Table
from flaskart.listings import actions as listings
from flaskart.listings.queries import get_listing
from flaskart.web.json import decode, encode
from flaskart.web.tokens import AccessTokens

Body = bytes | Iterator[bytes] | None
PASSWORD = "correct horse"
PASSWORD_HASH = hash_password(PASSWORD)


@dataclass(frozen=True)
class Answer:
    """What came back, over whichever way it was sent. Amounts in `json` are `Decimal`, as exact as they were sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return decode(self.body)


class Send(Protocol):
    """A way to the shop: into the app of this process, or over HTTP to a server's."""

    def __call__(self, method: str, path: str, body: Body, headers: Mapping[str, str]) -> Answer: ...


def in_process(client: FlaskClient) -> Send:
    def send(method: str, path: str, body: Body, headers: Mapping[str, str]) -> Answer:
        response = client.open(
            path,
            method=method,
            data=body if body is None or isinstance(body, bytes) else b"".join(body),
            headers=dict(headers),
        )
        answer = Answer(response.status_code, HTTPHeaderDict(response.headers.items()), response.get_data())
        response.close()
        return answer

    return send


@dataclass(frozen=True)
class Caller:
    """Somebody who calls the API, signed in if there is a token."""

    send: Send
    token: str | None = None
    customer_id: int = 0

    def get(self, path: str, **headers: str) -> Answer:
        return self.call("GET", path, **headers)

    def post(self, path: str, json: object = None, **headers: str) -> Answer:
        return self.call("POST", path, json, **headers)

    def patch(self, path: str, json: object = None, **headers: str) -> Answer:
        return self.call("PATCH", path, json, **headers)

    def put(self, path: str, json: object = None, **headers: str) -> Answer:
        return self.call("PUT", path, json, **headers)

    def delete(self, path: str, **headers: str) -> Answer:
        return self.call("DELETE", path, **headers)

    def call(self, method: str, path: str, json: object = None, **headers: str) -> Answer:
        """Send `json` if there is any; header names are written with underscores."""
        if json is None:
            return self.call_raw(method, path, None, **headers)
        return self.call_raw(method, path, encode(json), **{"Content_Type": "application/json"} | headers)

    def call_raw(self, method: str, path: str, body: Body, **headers: str) -> Answer:
        """Send bytes as they are, or in chunks."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        return self.send(method, path, body, sent)


@dataclass(frozen=True)
class Make:
    """Makes test data through the same actions that the API uses."""

    db: Database
    tokens: AccessTokens
    send: Send

    def customer(self, username: str = "alice") -> Caller:
        return self._account(username)

    def staff(self, username: str = "boss", permissions: Collection[Permission] | None = None) -> Caller:
        """Return somebody with a role of these permissions, an owner by default."""
        if permissions is None:
            return self._account(username, "owner")
        role = StaffRole(name=username, permissions=stored(frozenset(permissions)), is_built_in=False)
        with self.db.write() as session:
            session.add(role)
        return self._account(username, username)

    def key(
        self, owner: Caller, scopes: Collection[Permission], *, operations: Collection[str] | None = None
    ) -> Caller:
        """Return a machine that acts for somebody, whether they could make such a key or not."""
        actor = Actor(owner.customer_id, frozenset(scopes), "")
        with self.db.write() as session:
            made = accounts.create_key(session, actor, name="k", scopes=frozenset(scopes), operations=operations)
        return Caller(self.send, made.secret, owner.customer_id)

    def anyone(self) -> Caller:
        """Somebody who is not signed in."""
        return Caller(self.send)

    def product(self, name: str = "Mug", *, price: str = "19.99", stock: int = 10) -> int:
        """Return the id of a new product."""
        price_minor = to_minor(Decimal(price), "USD", pointer="/price")
        with self.db.write() as session:
            return listings.add_listing(
                session, SYSTEM, name=name, price_minor=price_minor, currency="USD", stock=stock
            )

    def stock_of(self, product_id: int) -> int:
        with self.db.read() as session:
            return sum(variant.stock for variant in get_listing(session, str(product_id)).variants)

    def everything(self) -> Mapping[str, Sequence[Row[*tuple[Any, ...]]]]:
        """Return every row of every table, to see that nothing changed."""
        tables = Table.metadata.sorted_tables
        with self.db.read() as session:
            return {table.name: session.execute(select(table).order_by(*table.primary_key)).all() for table in tables}

    def _account(self, username: str, *roles: str) -> Caller:
        email = f"{username}@example.com"
        with self.db.write() as session:
            account = accounts.register(session, username=username, email=email, password_hash=PASSWORD_HASH)
            if roles:
                accounts.grant_roles(session, account, roles)
            sign_in = accounts.begin_sign_in(session, account.id, valid_seconds=3_600)
        return Caller(self.send, self.tokens.sign(account.id, sign_in.session_id), account.id)


# Makes the same shop with other settings, on the same database.
MakeWith = Callable[..., Make]
