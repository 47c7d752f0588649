"""Every place where something is kept about a person. A room that keeps more says so in its own two functions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flaskart.accounts import actions as accounts
from flaskart.accounts import queries as accounts_queries
from flaskart.cart import actions as cart
from flaskart.cart import queries as cart_queries
from flaskart.kit.db import Session
from flaskart.kit.personal import Record, Sections
from flaskart.orders import actions as orders
from flaskart.orders import queries as orders_queries
from flaskart.web import idempotency


@dataclass(frozen=True, slots=True)
class Room:
    """`personal_data_of` hands over what is kept about a customer, `erase_person` replaces or deletes it."""

    personal_data_of: Callable[[Session, int], Sections]
    erase_person: Callable[[Session, int], None]


ROOMS = (
    Room(accounts_queries.personal_data_of, accounts.erase_person),
    Room(orders_queries.personal_data_of, orders.erase_person),
    Room(cart_queries.personal_data_of, cart.erase_person),
    Room(idempotency.personal_data_of, idempotency.erase_person),
)


def sections_of(session: Session, customer_id: int) -> Iterator[tuple[str, Iterator[Record]]]:
    """Yield all sections of what is kept about a person."""
    for room in ROOMS:
        yield from room.personal_data_of(session, customer_id).items()


def erase_everywhere(session: Session, customer_id: int) -> None:
    """Erase a person from every room, the account last: who changes an order has it locked before the account."""
    for room in reversed(ROOMS):
        room.erase_person(session, customer_id)
