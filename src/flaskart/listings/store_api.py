"""The shopper's door to products."""

from collections.abc import Sequence

from flask import Response

from flaskart.catalog.errors import ProductNotFound
from flaskart.listings import queries
from flaskart.listings.queries import Listing
from flaskart.listings.schemas import ProductList, ProductOut, ProductPath, ProductShown
from flaskart.web.auth import anyone
from flaskart.web.etag import tagged, unless_known
from flaskart.web.fields import PageQuery
from flaskart.web.http import db, shop, show, show_page
from flaskart.web.openapi import TAGGED, answers, door

api = door("products", __name__, "/products", "products", "What the shop sells.")


@api.get("", responses=answers(ProductList), openapi_extensions=TAGGED)
@anyone
def list_products(query: PageQuery) -> Response:
    """List products in the order they were added."""
    with db().read() as session:
        page = queries.list_listings(session, limit=query.limit, after=query.after)
    return _kept_while_unchanged(show_page(ProductList.of(page), page), page.rows)


@api.get("/<product_id>", responses=answers(ProductShown, ProductNotFound), openapi_extensions=TAGGED)
@anyone
def view_product(path: ProductPath) -> Response:
    """View a product by its id or slug."""
    with db().read() as session:
        listing = queries.get_listing(session, path.product_id)
    return _kept_while_unchanged(show(ProductShown(product=ProductOut.of(listing))), [listing])


def _kept_while_unchanged(response: Response, shown: Sequence[Listing]) -> Response:
    tagged(response)
    if shown:
        first_id, last_id, state = shown[0].id, shown[-1].id, queries.state_of(shown)
        shop().kept.keep(response, lambda session: queries.current_state(session, first_id, last_id) == state)
    return unless_known(response)
