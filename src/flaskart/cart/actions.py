"""What a shopper does with a cart."""

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from flaskart.cart import queries
from flaskart.cart.errors import CartEmpty, CartFull, CurrencyMismatch, NotInCart
from flaskart.cart.models import MAX_LINES, MAX_QUANTITY, OPEN, Cart, CartLine
from flaskart.catalog.models import Variant
from flaskart.inventory.errors import InsufficientStock
from flaskart.kit import clock
from flaskart.kit.actor import Actor
from flaskart.kit.db import insert_into


def add_item(
    session: Session,
    actor: Actor,
    *,
    quantity: int,
    currency: str,
    product_id: int | None = None,
    variant_id: int | None = None,
    sku: str | None = None,
) -> Cart:
    """Put `quantity` more of a variant in the actor's cart, which is in `currency` as long as it is empty.

    Checks stock but takes none: stock is taken when the order is placed.

    Raises:
        VariantNotFound: not published, or no such id or SKU.
        InsufficientStock: the cart would hold more than the shop has, or more than a line may hold.
        CartFull: a line more than `MAX_LINES`.
        CurrencyMismatch: priced in another currency than the cart.
    """
    cart = _touch_cart(session, actor, currency)
    offer = queries.get_offer(session, cart, product_id=product_id, variant_id=variant_id, sku=sku)
    if offer.line_count == 0:
        cart.currency = currency  # the shop's may have changed since the cart was started
    if offer.currency != cart.currency:
        raise CurrencyMismatch(cart_currency=cart.currency, product_currency=offer.currency)
    if not offer.in_cart and offer.line_count >= MAX_LINES:
        raise CartFull(max_lines=MAX_LINES)
    _set_quantity(session, cart, offer, offer.in_cart + quantity)
    return cart


def set_quantity(session: Session, actor: Actor, product_id: int, quantity: int) -> Cart:
    """Change how many of a product the cart holds.

    Raises:
        NotInCart: it holds none.
        InsufficientStock: the shop has fewer.
    """
    cart = _lock_cart(session, actor)
    line = _line_of(session, cart, product_id)
    offer = queries.get_offer(session, cart, variant_id=line.variant_id)
    _set_quantity(session, cart, offer, quantity)
    return cart


def remove_item(session: Session, actor: Actor, product_id: int) -> Cart:
    """Take a product out of the cart.

    Raises:
        NotInCart: it was not in it.
    """
    cart = _lock_cart(session, actor)
    line = _line_of(session, cart, product_id)
    session.execute(delete(CartLine).where(CartLine.id == line.id))
    return cart


def clear_cart(session: Session, actor: Actor) -> None:
    """Take everything out of the cart. May be repeated."""
    cart = _find_and_lock_cart(session, actor)
    if cart is not None:
        session.execute(delete(CartLine).where(CartLine.cart_id == cart.id))


def complete_cart(session: Session, actor: Actor) -> Cart:
    """Close the actor's open cart, because its order is being placed; a second attempt waits for this one's end.

    Raises:
        CartEmpty: there is no open cart.
    """
    completed = update(Cart).where(_open_cart(actor)).values(completed_at=clock.now()).returning(Cart)
    cart = session.scalars(completed).one_or_none()
    if cart is None:
        raise CartEmpty
    return cart


def _touch_cart(session: Session, actor: Actor, currency: str) -> Cart:
    """Return the actor's open cart, made if there is none, locked until the transaction ends. One statement."""
    now = clock.now()
    new = {"customer_id": actor.customer_id, "currency": currency, "version": 1, "created_at": now, "updated_at": now}
    upsert = (
        insert_into(session, Cart)
        .values(new)
        .on_conflict_do_update(
            index_elements=["customer_id"], index_where=OPEN, set_={"version": Cart.version + 1, "updated_at": now}
        )
        .returning(Cart)
    )
    return session.scalars(upsert, execution_options={"populate_existing": True}).one()


def _lock_cart(session: Session, actor: Actor) -> Cart:
    cart = _find_and_lock_cart(session, actor)
    if cart is None:
        raise NotInCart
    return cart


def _find_and_lock_cart(session: Session, actor: Actor) -> Cart | None:
    changed = {"version": Cart.version + 1, "updated_at": clock.now()}
    return session.scalars(update(Cart).where(_open_cart(actor)).values(changed).returning(Cart)).one_or_none()


def _open_cart(actor: Actor) -> ColumnElement[bool]:
    return (Cart.customer_id == actor.customer_id) & Cart.completed_at.is_(None)


def _line_of(session: Session, cart: Cart, product_id: int) -> CartLine:
    of_product = select(CartLine).join(Variant, Variant.id == CartLine.variant_id)
    chosen = of_product.where(CartLine.cart_id == cart.id, Variant.product_id == product_id).order_by(CartLine.id)
    line = session.scalars(chosen.limit(1)).one_or_none()
    if line is None:
        raise NotInCart
    return line


def _set_quantity(session: Session, cart: Cart, offer: queries.Offer, quantity: int) -> None:
    limit = min(max(offer.sellable, 0), MAX_QUANTITY)
    if quantity > limit:
        raise InsufficientStock(
            f"Only {limit} available", wanted=quantity, available=limit, variant_id=offer.variant_id
        )
    upsert = insert_into(session, CartLine).values(cart_id=cart.id, variant_id=offer.variant_id, quantity=quantity)
    session.execute(upsert.on_conflict_do_update(index_elements=["cart_id", "variant_id"], set_={"quantity": quantity}))
