"""A person about whom every table keeps something, with a marker in every personal column."""

from collections.abc import Callable, Iterator, Mapping

from sqlalchemy import JSON, Column, ColumnElement, LargeBinary, Table, cast, or_, select, update
from sqlalchemy.types import BigInteger

from flaskart.accounts.models import ExternalIdentity
from flaskart.kit import clock
from flaskart.kit.actor import Permission
from flaskart.kit.db import Database
from flaskart.migrations.tables import METADATA
from flaskart.orders.models import Order
from flaskart.privacy.actions import make_export
from flaskart.privacy.models import Export
from flaskart.web.json import encode
from tests.callers import Caller, Make

TABLES: Mapping[str, Table] = METADATA.tables
BERLIN = {"name": "A", "lines": ["Unter den Linden 1"], "city": "Berlin", "postal_code": "10117", "country": "DE"}


def _about(table: Table, member: str, ids: object) -> ColumnElement[bool]:
    return cast(table.c.payload[member].as_string(), BigInteger).in_(ids)  # type: ignore[arg-type]


def _of_customer(table: Table, customer_id: int) -> ColumnElement[bool]:
    own: ColumnElement[bool] = table.c.customer_id == customer_id
    return own


def _jobs_of(table: Table, customer_id: int) -> ColumnElement[bool]:
    orders = select(Order.id).where(Order.customer_id == customer_id)
    exports = select(Export.id).where(Export.customer_id == customer_id)
    return or_(
        _about(table, "customer_id", [customer_id]),
        _about(table, "order_id", orders),
        _about(table, "export_id", exports),
    )


def _answers_of(table: Table, customer_id: int) -> ColumnElement[bool]:
    return or_(table.c.caller == f"customer:{customer_id}", table.c.subject_id == customer_id)


# Whose a row is, for each table with a personal column. A new one needs a line, and rows of it in `live`.
OWNED: Mapping[str, Callable[[Table, int], ColumnElement[bool]]] = {
    "customer": lambda table, customer_id: table.c.id == customer_id,
    "sign_in": _of_customer,
    "api_key": _of_customer,
    "address": _of_customer,
    "external_identity": _of_customer,
    "order": _of_customer,
    "export": _of_customer,
    "idempotency_key": _answers_of,
    "job": _jobs_of,
}


def personal_columns() -> Iterator[Column[object]]:
    for table in METADATA.sorted_tables:
        yield from (column for column in table.columns if column.info.get("personal"))


def live(make: Make, name: str) -> Caller:
    """Do all that leaves something behind: register, order, fill a cart, keep an address and a key, get an export."""
    person = {"username": name, "email": f"{name}@example.com", "password": "correct horse"}
    registered = make.anyone().post("/auth/register", person, Idempotency_Key=f"register {name}")
    assert registered.status == 201
    login = make.anyone().post("/auth/login", {"username": name, "password": "correct horse"})
    caller = Caller(make.send, login.json["access_token"], registered.json["user"]["id"])
    mug = make.product(f"Mug of {name}")
    for path, body, status in (
        ("/cart", {"product_id": mug}, 200),
        ("/orders", {}, 201),
        ("/cart", {"product_id": mug, "quantity": 2}, 200),
        ("/account/addresses", BERLIN, 201),
        ("/account/export", {}, 202),
    ):
        answer = caller.post(path, body, Idempotency_Key=f"{name} {path} {body}")
        assert answer.status == status
    make_export(make.db, answer.json["export"]["id"])
    make.key(caller, {Permission.ORDERS_READ})
    identity = {"customer_id": caller.customer_id, "provider": "acme", "subject": name, "created_at": clock.now()}
    with make.db.write() as session:
        session.add(ExternalIdentity(**identity))
    return caller


def plant(db: Database, customer_id: int, marker: str) -> dict[str, str]:
    """Put a marker of its own in every personal column of a person's rows; return the column of each."""
    planted: dict[str, str] = {}
    with db.write() as session:
        for column in personal_columns():
            table = column.table
            assert isinstance(table, Table)
            ids = session.scalars(select(table.c.id).where(OWNED[table.name](table, customer_id))).all()
            assert ids, f"{table.name} keeps nothing of {customer_id}"
            for row_id in ids:
                text = f"{marker}-{len(planted):03}"  # as short as the shortest column
                planted[text] = str(column)
                old = session.scalar(select(column).where(table.c.id == row_id))
                new = {column.name: _marked(column, text, old)}
                session.execute(update(table).where(table.c.id == row_id).values(new))
    return planted


def _marked(column: Column[object], text: str, old: object) -> object:
    if isinstance(column.type, JSON):
        return old | {"marker": text} if isinstance(old, dict) else [text]
    if isinstance(column.type, LargeBinary):
        return encode({"marker": text}) if column.name == "body" else text.encode()
    return text
