"""The operations that are measured, each with what it may cost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bench.load import Load, Request
from bench.shops import LINES, Shop, Shopper
from flaskart.kit.paging import encode_cursor

SHOPPERS = 4
MANY = 8
CART = 3  # lines of an ordinary order
ITEMS = 30  # products that ordinary orders are made of
ORDERS_IN_A_ROW = 10
MAX_PAGES = 4_000


def _nothing() -> None: ...


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing a shop does.

    `max_r1` is how many times R1's CPU it may cost, `max_r2` how many times R2's on top, `max_ms` its CPU in all, and
    `min_per_second` how often it must be done; None where no goal is set. `prepare` comes before each round.
    """

    name: str
    load: Load
    max_r1: float | None = None
    max_r2: float = 0
    max_ms: float | None = None
    max_statements: int | None = None
    min_per_second: float | None = None
    prepare: Callable[[], object] = _nothing


def operations(shop: Shop, buyers: Sequence[Shopper]) -> list[Operation]:
    """Return all operations; `buyers` are used up by those that place one order each."""
    product = shop.items[len(shop.items) // 2].product_id
    return [
        *lists(shop),
        Operation("product by id", same(Request("GET", f"/products/{product}")), 3, max_statements=2),
        product_by_slug(shop),
        add_to_cart(shop, buyers[:SHOPPERS]),
        Operation(
            "place an order of 3 lines",
            Load(shared([place(buyer) for buyer in buyers], SHOPPERS), is_repeated=False),
            max_r1=6,
            max_r2=2,
            max_statements=16,
            prepare=lambda: shop.fill_carts(buyers, chosen(shop)),
        ),
        whole_order(shop, buyers[:MANY]),
        *readings(shop),
    ]


def lists(shop: Shop) -> list[Operation]:
    first = Request("GET", "/products?limit=20")
    # What is on this page is neither edited nor ordered, so its tag stays.
    quiet = Request("GET", f"/products?limit=20&after={encode_cursor(LINES)}")
    known = replace(quiet, known_etag=shop.answer(quiet).headers["ETag"])
    return [
        Operation("list of 20, unchanged", same(first), 1.5, max_statements=2),
        Operation("list of 50, unchanged", same(Request("GET", "/products?limit=50")), 1.5, max_statements=2),
        list_anew(shop, 20),
        list_anew(shop, 50),
        Operation("list of 20, not modified (304)", same(known), 1.5, max_statements=2),
    ]


def list_anew(shop: Shop, limit: int, *, max_pages: int = MAX_PAGES) -> Operation:
    """Read pages that begin after each product, or after every so many, once after each change of the catalogue."""
    starts = range(shop.products - limit)
    starts = starts[:: max(1, len(starts) // max_pages)][:max_pages]
    pages = [Request("GET", f"/products?limit={limit}&after={encode_cursor(start)}") for start in starts]
    load = Load(shared(pages, SHOPPERS), is_repeated=False)
    return Operation(f"list of {limit}, read anew", load, 4, max_statements=2, prepare=shop.change_catalogue)


def product_by_slug(shop: Shop) -> Operation:
    slug = shop.slug_of(shop.items[len(shop.items) // 2].product_id)
    return Operation("product by slug", same(Request("GET", f"/products/{slug}")), 3, max_statements=2)


def add_to_cart(shop: Shop, shoppers: Sequence[Shopper]) -> Operation:
    """Add one of three products in turn, so that the cart has three lines."""
    load = Load([[add(shopper, shop.items[line].product_id) for line in range(CART)] for shopper in shoppers])
    return Operation("add to cart", load, 6, max_statements=8, prepare=lambda: shop.empty_carts(shoppers))


def whole_order(shop: Shop, shoppers: Sequence[Shopper]) -> Operation:
    orders = [[_whole(shop, shopper, number) for number in range(ORDERS_IN_A_ROW)] for shopper in shoppers]
    load = Load([[request for order in own for request in order] for own in orders], steps=CART + 1)
    return Operation(
        "a whole order (3 adds, place)",
        load,
        max_ms=3,
        min_per_second=300,
        prepare=lambda: shop.empty_carts(shoppers),
    )


def readings(shop: Shop) -> list[Operation]:
    """Make carts and orders of 1 and of 500 lines, and read them."""
    found = []
    for lines in (1, LINES):
        variants = [item.variant_id for item in shop.items[:lines]]
        [buyer, keeper] = shop.sign_in(f"reader{lines}x", 2)
        shop.fill_carts([buyer, keeper], lambda _number: variants)  # noqa: B023 - called at once
        location = shop.answer(place(buyer)).json["order_id"]
        found += [
            Operation(f"cart of {_counted(lines)}", same(Request("GET", "/cart", keeper.token))),
            Operation(f"order of {_counted(lines)}", same(Request("GET", f"/orders/{location}", buyer.token))),
        ]
    return found


def same(request: Request) -> Load:
    """Return the load of shoppers who all ask for the same."""
    return Load([[request]] * SHOPPERS)


def shared(requests: Sequence[Request], shoppers: int) -> list[Sequence[Request]]:
    """Deal requests out to so many shoppers, in turn."""
    return [requests[number::shoppers] for number in range(shoppers)]


def add(shopper: Shopper, product_id: int) -> Request:
    return Request("POST", "/cart", shopper.token, b'{"product_id": %d}' % product_id)


def place(shopper: Shopper) -> Request:
    return Request("POST", "/orders", shopper.token)


def chosen(shop: Shop) -> Callable[[int], Sequence[int]]:
    """Return what a shopper of a number wants: three variants, other ones than their neighbours."""
    return lambda number: [shop.items[(number + line) % ITEMS].variant_id for line in range(CART)]


def _whole(shop: Shop, shopper: Shopper, number: int) -> list[Request]:
    wanted = [shop.items[(shopper.customer_id + number * CART + line) % ITEMS].product_id for line in range(CART)]
    return [*(add(shopper, product_id) for product_id in wanted), place(shopper)]


def _counted(lines: int) -> str:
    return "1 line" if lines == 1 else f"{lines} lines"
