"""Who is asking. Every route says who may call it; the answer is given before its input is read."""

from collections.abc import Callable
from enum import StrEnum
from functools import wraps
from typing import Any, TypeVar

from flask import Flask, Response, current_app, g, request

from flaskart.kit.actor import Actor, Role
from flaskart.kit.errors import Forbidden, Unauthenticated
from flaskart.web.http import shop
from flaskart.web.tokens import InvalidToken

View = TypeVar("View", bound=Callable[..., Response])


class Access(StrEnum):
    ANYONE = "anyone"
    CUSTOMER = "customer"
    STAFF = "staff"


def anyone(view: View) -> View:
    """Mark a route as public."""
    return _marked(view, Access.ANYONE)


def shopper(view: Callable[..., Response]) -> Callable[..., Response]:
    """Mark a route as one for whoever is signed in; it gets them as `actor`."""
    return _marked(_with_actor(view), Access.CUSTOMER)


def staff(view: Callable[..., Response]) -> Callable[..., Response]:
    """Mark a route as one for staff; it gets them as `actor`."""
    return _marked(_with_actor(view), Access.STAFF)


def access_of(view: Callable[..., Any]) -> Access:
    """Return who may call a view.

    Raises:
        LookupError: the view does not say.
    """
    access = getattr(view, "access", None)
    if access is None:
        raise LookupError(f"{view.__module__}.{view.__qualname__} does not say who may call it")
    return Access(access)


def session_of_caller() -> str:
    """Return the id of the sign-in that the access token names, whether it is still alive or not.

    Raises:
        Unauthenticated: there is no access token.
        InvalidToken: it is forged or has expired.
    """
    _, session_id = _named_by_token()
    return session_id


def register(app: Flask) -> None:
    """Check the caller of every request. Call it after the routes are there: an undeclared one is refused now."""
    for view in app.view_functions.values():
        access_of(view)
    app.before_request(_check_caller)


def _check_caller() -> None:
    if request.endpoint is None or request.method == "OPTIONS":
        return
    access = access_of(current_app.view_functions[request.endpoint])
    if access is Access.ANYONE:
        return
    g.actor = _authenticated()
    if access is Access.STAFF and g.actor.role is not Role.STAFF:
        raise Forbidden


def _authenticated() -> Actor:
    customer_id, session_id = _named_by_token()
    actor = shop().db.retrying(lambda: _find_actor(customer_id, session_id))
    if actor is None:
        raise InvalidToken
    return actor


def _find_actor(customer_id: int, session_id: str) -> Actor | None:
    with shop().db.read() as session:
        return shop().find_actor(session, customer_id, session_id)


def _named_by_token() -> tuple[int, str]:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if not token or scheme.lower() != "bearer":
        raise Unauthenticated
    return shop().tokens.read(token.strip())


def _with_actor(view: Callable[..., Response]) -> Callable[..., Response]:
    @wraps(view)
    def with_actor(**arguments: Any) -> Response:
        return view(actor=g.actor, **arguments)

    return with_actor


def _marked(view: View, access: Access) -> View:
    view.access = access  # type: ignore[attr-defined]
    return view
