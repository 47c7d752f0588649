"""The shopper's door to orders."""

from flask import Response

from flaskart.kit.actor import Actor
from flaskart.orders import actions, queries
from flaskart.orders.errors import InvalidTransition, OrderNotFound
from flaskart.orders.schemas import OrderChanged, OrderList, OrderOut, OrderPath, OrderShown
from flaskart.web.auth import shopper
from flaskart.web.fields import PageQuery
from flaskart.web.http import db, show, show_page
from flaskart.web.idempotency import writing
from flaskart.web.openapi import answers, door

api = door("orders", __name__, "/orders", "orders", "What one has ordered.")


@api.get("", responses=answers(OrderList))
@shopper
def list_orders(actor: Actor, query: PageQuery) -> Response:
    """List one's orders, newest first."""
    return _show_orders(actor, query)


@api.get("/history", responses=answers(OrderList))
@shopper
def list_order_history(actor: Actor, query: PageQuery) -> Response:
    """List one's orders, newest first; another name of `GET /orders`."""
    return _show_orders(actor, query)


@api.get("/<id:order_id>", responses=answers(OrderShown, OrderNotFound))
@shopper
def view_order(actor: Actor, path: OrderPath) -> Response:
    """View one of one's orders."""
    with db().read() as session:
        return show(OrderShown(order=OrderOut.of_all(queries.get_order(session, actor, path.order_id))))


@api.post("/<id:order_id>/cancel", responses=answers(OrderChanged, OrderNotFound, InvalidTransition))
@shopper
def cancel_order(actor: Actor, path: OrderPath) -> Response:
    """Cancel one of one's orders, as long as nothing of it is fulfilled; its stock is given back."""
    with writing() as session:
        order = actions.cancel_order(session, actor, path.order_id)
        return show(OrderChanged(msg="Order canceled", order=OrderOut.of_all(order)))


def _show_orders(actor: Actor, query: PageQuery) -> Response:
    with db().read() as session:
        page = queries.list_orders(session, actor, limit=query.limit, after=query.after)
    return show_page(OrderList.of(page), page)
