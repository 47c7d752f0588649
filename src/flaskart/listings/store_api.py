"""The shopper's door to products."""

from flask import Response, request

from flaskart.catalog.errors import ProductNotFound
from flaskart.listings import queries
from flaskart.listings.schemas import ProductList, ProductOut, ProductPath, ProductShown
from flaskart.web.auth import anyone
from flaskart.web.etag import tagged, unless_known
from flaskart.web.fields import PageQuery
from flaskart.web.http import db, shop, show, show_page
from flaskart.web.kept import Kept
from flaskart.web.openapi import TAGGED, answers, door

api = door("products", __name__, "/products", "products", "What the shop sells.")


@api.get("", responses=answers(ProductList), openapi_extensions=TAGGED)
@anyone
def list_products(query: PageQuery) -> Response:
    """List products in the order they were added."""
    # The host is in the link to the next page.
    key = (request.environ["wsgi.url_scheme"], request.environ.get("HTTP_HOST"), query.limit, query.after)
    kept = shop().kept.find(key)
    with db().read() as session:
        if kept is not None and queries.state_of(session, *kept.place) == kept.state:
            return unless_known(kept.answer())
        page, state = queries.list_listings(session, limit=query.limit, after=query.after)
    response = tagged(show_page(ProductList.of(page), page))
    if page.rows:
        shop().kept.keep(key, Kept.of(response, (page.rows[0].id, page.rows[-1].id), state))
    return unless_known(response)


@api.get("/<product_id>", responses=answers(ProductShown, ProductNotFound), openapi_extensions=TAGGED)
@anyone
def view_product(path: ProductPath) -> Response:
    """View a product by its id or slug."""
    with db().read() as session:
        listing = queries.get_listing(session, path.product_id)
    return unless_known(tagged(show(ProductShown(product=ProductOut.of(listing)))))
