"""Many products and full carts at once, for tests of what is large."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from flaskart.cart.models import Cart, CartLine
from flaskart.catalog.models import Variant
from flaskart.kit import clock
from flaskart.kit.db import Database
from flaskart.listings.actions import NewListing, add_listings
from tests.callers import Caller


def many_variants(db: Database, prices_minor: Sequence[int], *, stock: int = 10) -> Sequence[int]:
    """Return the ids of new variants, one for each price; the product of each has the same id."""
    goods = [
        NewListing(f"Thing {number}", f"thing-{number}", "", price_minor, "USD", stock)
        for number, price_minor in enumerate(prices_minor)
    ]
    with db.write() as session:
        add_listings(session, goods)
        return session.scalars(select(Variant.id).order_by(Variant.id)).all()


def fill_cart(db: Database, buyer: Caller, quantities: Mapping[int, int]) -> None:
    """Give a buyer without a cart one with so many of each variant."""
    now = clock.now()
    with db.write() as session:
        cart = Cart(customer_id=buyer.customer_id, currency="USD", version=1, created_at=now, updated_at=now)
        session.add(cart)
        session.flush()
        lines = [CartLine(cart_id=cart.id, variant_id=id_, quantity=quantity) for id_, quantity in quantities.items()]
        session.add_all(lines)
