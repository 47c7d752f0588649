"""What a shopper does with a cart."""

from sqlalchemy import bindparam, delete, update
from sqlalchemy.dialects.postgresql import insert

from flaskart.cart import queries
from flaskart.cart.errors import CartEmpty, CartFull, CurrencyMismatch, NotInCart
from flaskart.cart.models import MAX_LINES, MAX_QUANTITY, OPEN, Cart, CartLine
from flaskart.cart.queries import OpenCart
from flaskart.inventory.errors import InsufficientStock
from flaskart.kit import clock
from flaskart.kit.actor import Actor
from flaskart.kit.db import Session


def add_item(
    session: Session,
    actor: Actor,
    *,
    quantity: int,
    currency: str,
    product_id: int | None = None,
    variant_id: int | None = None,
    sku: str | None = None,
) -> OpenCart:
    """Put `quantity` more of a variant in the actor's cart, which is in `currency` as long as it is empty.

    Checks stock but takes none: stock is taken when the order is placed.

    Raises:
        VariantNotFound: not published, or no such id or SKU.
        InsufficientStock: the cart would hold more than the shop has, or more than a line may hold.
        CartFull: a line more than `MAX_LINES`.
        CurrencyMismatch: priced in another currency than the cart.
    """
    owned = {"customer_id": actor.customer_id, "currency": currency, "now": clock.now()}
    cart = OpenCart(*session.send(_TOUCH, owned).one())
    offer = queries.get_offer(session, cart.id, product_id=product_id, variant_id=variant_id, sku=sku)
    if offer.line_count == 0 and cart.currency != currency:  # the shop's has changed since the cart was started
        session.send(_REPRICE, {"cart_id": cart.id, "new_currency": currency})
        cart = OpenCart(cart.id, currency)
    if offer.currency != cart.currency:
        raise CurrencyMismatch(cart_currency=cart.currency, product_currency=offer.currency)
    if not offer.in_cart and offer.line_count >= MAX_LINES:
        raise CartFull(max_lines=MAX_LINES)
    _set_quantity(session, cart, offer, offer.in_cart + quantity)
    return cart


def set_quantity(session: Session, actor: Actor, product_id: int, quantity: int) -> OpenCart:
    """Change how many of a product the cart holds.

    Raises:
        NotInCart: it holds none.
        InsufficientStock: the shop has fewer.
    """
    cart, _, variant_id = _lock_line(session, actor, product_id)
    offer = queries.get_offer(session, cart.id, variant_id=variant_id)
    _set_quantity(session, cart, offer, quantity)
    return cart


def remove_item(session: Session, actor: Actor, product_id: int) -> OpenCart:
    """Take a product out of the cart.

    Raises:
        NotInCart: it was not in it.
    """
    cart, line_id, _ = _lock_line(session, actor, product_id)
    session.send(_REMOVE, {"line_id": line_id})
    return cart


def clear_cart(session: Session, actor: Actor) -> None:
    """Take everything out of the cart. May be repeated."""
    cart = _lock_cart(session, actor)
    if cart is not None:
        session.send(_CLEAR, {"cart_id": cart.id})


def complete_cart(session: Session, actor: Actor) -> OpenCart:
    """Close the actor's open cart, because its order is being placed; a second attempt waits for this one's end.

    Raises:
        CartEmpty: there is no open cart.
    """
    row = session.send(_COMPLETE, {"owner_id": actor.customer_id, "now": clock.now()}).one_or_none()
    if row is None:
        raise CartEmpty
    return OpenCart(*row)


def erase_person(session: Session, customer_id: int) -> None:
    """Delete a person's open cart. Completed ones stay: an order is known by its cart. May be repeated."""
    session.execute(delete(Cart).where(Cart.customer_id == customer_id, Cart.completed_at.is_(None)))


def _lock_line(session: Session, actor: Actor, product_id: int) -> tuple[OpenCart, int, int]:
    """Return the actor's locked cart, the id of a product's line in it, and of that line's variant."""
    cart = _lock_cart(session, actor)
    line = None if cart is None else queries.find_line(session, cart.id, product_id)
    if cart is None or line is None:
        raise NotInCart
    return cart, *line


def _lock_cart(session: Session, actor: Actor) -> OpenCart | None:
    row = session.send(_LOCK, {"owner_id": actor.customer_id, "now": clock.now()}).one_or_none()
    return None if row is None else OpenCart(*row)


def _set_quantity(session: Session, cart: OpenCart, offer: queries.Offer, quantity: int) -> None:
    limit = min(max(offer.sellable, 0), MAX_QUANTITY)
    if quantity > limit:
        raise InsufficientStock(
            f"Only {limit} available", wanted=quantity, available=limit, variant_id=offer.variant_id
        )
    session.send(_SET_LINE, {"cart_id": cart.id, "variant_id": offer.variant_id, "quantity": quantity})


# Put together once: building them takes longer than running them. PostgreSQL's INSERT knows SQLite's dialect, too.
_CHANGED = {"version": Cart.version + 1, "updated_at": bindparam("now")}
_OPEN_CART = (Cart.customer_id == bindparam("owner_id")) & Cart.completed_at.is_(None)
_TOUCH = (
    insert(Cart)
    .values(
        customer_id=bindparam("customer_id"),
        currency=bindparam("currency"),
        version=1,
        created_at=bindparam("now"),
        updated_at=bindparam("now"),
    )
    .on_conflict_do_update(index_elements=["customer_id"], index_where=OPEN, set_=_CHANGED)
    .returning(Cart.id, Cart.currency)
)
_LOCK = update(Cart).where(_OPEN_CART).values(_CHANGED).returning(Cart.id, Cart.currency)
_COMPLETE = update(Cart).where(_OPEN_CART).values(completed_at=bindparam("now")).returning(Cart.id, Cart.currency)
_REPRICE = update(Cart).where(Cart.id == bindparam("cart_id")).values(currency=bindparam("new_currency"))
_SET_LINE = (
    insert(CartLine)
    .values(cart_id=bindparam("cart_id"), variant_id=bindparam("variant_id"), quantity=bindparam("quantity"))
    .on_conflict_do_update(index_elements=["cart_id", "variant_id"], set_={"quantity": bindparam("quantity")})
)
_REMOVE = delete(CartLine).where(CartLine.id == bindparam("line_id"))
_CLEAR = delete(CartLine).where(CartLine.cart_id == bindparam("cart_id"))
