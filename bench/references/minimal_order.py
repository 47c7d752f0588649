"""R2: a plain script that does the least SQL an order of three lines can be made of, with the bare driver.

It has tables of its own in the shop's database, and is as durable. On standard input it reads `fill N`, which puts
N carts there, and then `place`, which orders them one after the other; it answers each with a line.
"""

import sqlite3
import sys
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from sqlalchemy import make_url

ITEMS = 30
Execute = Callable[[str, Sequence[int]], Any]

TABLES = """
CREATE TABLE bench_order (id {id}, customer_id BIGINT NOT NULL, total_minor BIGINT NOT NULL);
CREATE TABLE bench_order_line (
    id {id},
    order_id BIGINT NOT NULL REFERENCES bench_order (id),
    variant_id BIGINT NOT NULL,
    quantity BIGINT NOT NULL,
    price_minor BIGINT NOT NULL
);
CREATE TABLE bench_stock (
    variant_id BIGINT PRIMARY KEY,
    on_hand BIGINT NOT NULL,
    allocated BIGINT NOT NULL,
    CHECK (allocated <= on_hand)
);
CREATE TABLE bench_cart_line (
    cart_id BIGINT NOT NULL,
    variant_id BIGINT NOT NULL,
    PRIMARY KEY (cart_id, variant_id)
)
"""
ADD_ORDER = "INSERT INTO bench_order (customer_id, total_minor) VALUES (?, ?) RETURNING id"
ADD_LINES = (
    "INSERT INTO bench_order_line (order_id, variant_id, quantity, price_minor)"
    " VALUES (?, ?, 1, 1999), (?, ?, 1, 1999), (?, ?, 1, 1999)"
)
TAKE = (
    "UPDATE bench_stock SET allocated = allocated + 1 WHERE variant_id IN (?, ?, ?) AND on_hand - allocated >= 1"
    " RETURNING variant_id"
)
EMPTY = "DELETE FROM bench_cart_line WHERE cart_id = ?"


def items_of(cart: int) -> tuple[int, int, int]:
    """Return the three variants that a cart holds."""
    return cart % ITEMS + 1, (cart + 1) % ITEMS + 1, (cart + 2) % ITEMS + 1


def place(execute: Execute, cart: int) -> None:
    execute("BEGIN IMMEDIATE", ())
    first, second, third = items_of(cart)
    ((order_id,),) = execute(ADD_ORDER, (cart, 3 * 1999)).fetchall()
    execute(ADD_LINES, (order_id, first, order_id, second, order_id, third))
    if len(execute(TAKE, (first, second, third)).fetchall()) != 3:
        raise RuntimeError("sold out")
    execute(EMPTY, (cart,))
    execute("COMMIT", ())


def fill(execute: Execute, carts: int) -> None:
    execute("BEGIN IMMEDIATE", ())
    for cart in range(carts):
        for item in items_of(cart):
            execute("INSERT INTO bench_cart_line (cart_id, variant_id) VALUES (?, ?)", (cart, item))
    execute("COMMIT", ())


def set_up(execute: Execute, identity: str) -> None:
    for table in TABLES.format(id=identity).split(";"):
        execute(table, ())
    for item in range(1, ITEMS + 1):
        execute("INSERT INTO bench_stock (variant_id, on_hand, allocated) VALUES (?, 1000000000, 0)", (item,))


def sqlite(path: str) -> Execute:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    set_up(connection.execute, "INTEGER PRIMARY KEY")
    return connection.execute


def postgresql(url: str) -> Execute:
    connection = psycopg.connect(url, autocommit=True)
    known: dict[str, bytes] = {}

    def execute(statement: str, values: Sequence[int]) -> Any:
        if statement not in known:
            known[statement] = statement.replace("?", "%s").replace(" IMMEDIATE", "").encode()
        return connection.execute(known[statement], values)

    set_up(execute, "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY")
    return execute


def main() -> None:
    url = make_url(sys.argv[1])
    is_sqlite = url.get_backend_name() == "sqlite"
    execute = sqlite(url.database or "") if is_sqlite else postgresql(sys.argv[1])
    carts = 0
    for line in sys.stdin:
        order, *number = line.split()
        if order == "fill":
            carts = int(*number)
            fill(execute, carts)
        else:
            for cart in range(carts):
                place(execute, cart)
        sys.stdout.write("done\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
