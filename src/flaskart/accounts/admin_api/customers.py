"""The accounts of all, for staff: find them, look at one, keep it out, let it in again, sign it out."""

from flask import Response

from flaskart.accounts import actions, queries
from flaskart.accounts.errors import CustomerErased, CustomerNotFound, LastOwner, MoreThanHeld, OwnAccount
from flaskart.accounts.models import Customer
from flaskart.accounts.schemas import (
    CustomerChanged,
    CustomerDetails,
    CustomerList,
    CustomerPath,
    CustomerQuery,
    CustomerShown,
    Disabling,
)
from flaskart.kit.actor import Actor, Permission
from flaskart.kit.db import Session
from flaskart.web.auth import permitted
from flaskart.web.http import db, show, show_page
from flaskart.web.idempotency import writing
from flaskart.web.openapi import answers, door

api = door("customers_admin", __name__, "/admin/customers", "customers", "The accounts of all, for staff.")


@api.get("", responses=answers(CustomerList))
@permitted(Permission.CUSTOMERS_READ)
def list_customers(actor: Actor, query: CustomerQuery) -> Response:
    """List accounts, the newest first, erased ones included; `q` is how a username or e-mail address begins."""
    with db().read() as session:
        page = queries.list_customers(session, query.filter(), limit=query.limit, after=query.after)
    return show_page(CustomerList.of(page), page)


@api.get("/<id:customer_id>", responses=answers(CustomerShown, CustomerNotFound))
@permitted(Permission.CUSTOMERS_READ)
def view_customer(actor: Actor, path: CustomerPath) -> Response:
    """View an account."""
    with db().read() as session:
        return show(CustomerShown(customer=_details(session, queries.get_customer(session, path.customer_id))))


@api.post(
    "/<id:customer_id>/disable",
    responses=answers(CustomerChanged, CustomerNotFound, CustomerErased, OwnAccount, MoreThanHeld, LastOwner),
)
@permitted(Permission.CUSTOMERS_WRITE)
def disable_customer(actor: Actor, path: CustomerPath, body: Disabling) -> Response:
    """Keep somebody from signing in; their sign-ins end at once. May be repeated; the first reason stays."""
    with writing() as session:
        customer = actions.disable_customer(session, actor, path.customer_id, reason=body.reason)
        return _show_change(session, customer, "Customer disabled")


@api.post(
    "/<id:customer_id>/enable", responses=answers(CustomerChanged, CustomerNotFound, CustomerErased, MoreThanHeld)
)
@permitted(Permission.CUSTOMERS_WRITE)
def enable_customer(actor: Actor, path: CustomerPath) -> Response:
    """Let somebody sign in again who was disabled. May be repeated."""
    with writing() as session:
        customer = actions.enable_customer(session, actor, path.customer_id)
        return _show_change(session, customer, "Customer enabled")


@api.post(
    "/<id:customer_id>/sign-out", responses=answers(CustomerChanged, CustomerNotFound, CustomerErased, MoreThanHeld)
)
@permitted(Permission.CUSTOMERS_WRITE)
def sign_customer_out(actor: Actor, path: CustomerPath) -> Response:
    """End all sign-ins of somebody at once; they may sign in again. May be repeated."""
    with writing() as session:
        customer = actions.sign_customer_out(session, actor, path.customer_id)
        return _show_change(session, customer, "Customer signed out")


@api.post(
    "/<id:customer_id>/reset-second-factor",
    responses=answers(CustomerChanged, CustomerNotFound, CustomerErased, OwnAccount, MoreThanHeld),
)
@permitted(Permission.CUSTOMERS_WRITE)
def reset_second_factor(actor: Actor, path: CustomerPath) -> Response:
    """Take the second factor from somebody who lost it. See to it first that it is them. May be repeated."""
    with writing() as session:
        customer = actions.reset_second_factor(session, actor, path.customer_id)
        return _show_change(session, customer, "Second factor reset")


def _show_change(session: Session, customer: Customer, msg: str) -> Response:
    return show(CustomerChanged(msg=msg, customer=_details(session, customer)), about=customer.id)


def _details(session: Session, customer: Customer) -> CustomerDetails:
    return CustomerDetails.of_all(customer, last_seen_at=queries.find_last_seen(session, customer.id))
