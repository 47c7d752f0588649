"""Who is asking, and may they. Every route names the permission it needs; the answer comes before its input is read."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Literal, TypeVar, cast

from flask import Flask, Response, current_app, g, request
from sqlalchemy.exc import DBAPIError

from flaskart.kit.actor import OF_STAFF, Actor, Permission, PresentedKey
from flaskart.kit.errors import Forbidden, OutcomeUnknown, Unauthenticated
from flaskart.web.http import shop
from flaskart.web.tokens import InvalidToken

View = TypeVar("View", bound=Callable[..., Response])
ANYONE: Literal["anyone"] = "anyone"
KEY_PREFIX = "flk_"  # begins an API key, and no access token: those begin with the `{` of their header, in base 64
Access = Permission | Literal["anyone"]


class OperationNotAllowed(Forbidden):
    code = "operation_not_allowed"
    message = "This API key is not for this operation"


def anyone(view: View) -> View:
    """Mark a route as public."""
    return _marked(view, ANYONE)


def permitted(permission: Permission) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Mark a route as one for whoever has a permission; it gets them as `actor`."""

    def mark(view: Callable[..., Response]) -> Callable[..., Response]:
        return _marked(_with_actor(view), permission)

    return mark


def shopper(view: Callable[..., Response]) -> Callable[..., Response]:
    """Mark a route as one for whoever is signed in, and for keys that may shop for them; it gets them as `actor`."""
    return permitted(Permission.SHOPPING)(view)


def before_second_factor(view: View) -> View:
    """Mark a route as one that staff need to enrol a second factor, where the shop asks them for one."""
    view.is_before_second_factor = True  # type: ignore[attr-defined]
    return view


def person(view: Callable[..., Response]) -> Callable[..., Response]:
    """Mark a route about one's own account, for whoever is signed in and never for a key; it gets them as `actor`."""
    return permitted(Permission.ACCOUNT)(view)


def access_of(view: Callable[..., Any]) -> Access:
    """Return the permission that a view needs, or that it is for anyone.

    Raises:
        LookupError: the view does not say.
    """
    access: Access | None = getattr(view, "access", None)
    if access is None:
        raise LookupError(f"{view.__module__}.{view.__qualname__} does not say who may call it")
    return access


def session_of_caller() -> str:
    """Return the id of the sign-in that the access token names, whether it is still alive or not.

    Raises:
        Unauthenticated: there is no access token.
        InvalidToken: it is forged or has expired.
    """
    _, session_id = shop().tokens.read(_bearer_token())
    return session_id


def is_audited() -> bool:
    """Tell whether what the current request writes goes into the audit log: what staff do as such, and keys ever."""
    access = access_of(current_app.view_functions[request.endpoint or ""])
    return access in OF_STAFF or ("actor" in g and g.actor.key_id is not None)


def register(app: Flask) -> None:
    """Check the caller of every request. Call it after the routes are there: an undeclared one is refused now."""
    for view in app.view_functions.values():
        access_of(view)
    app.before_request(_check_caller)


def _check_caller() -> None:
    if request.endpoint is None or request.method == "OPTIONS":
        return
    view = current_app.view_functions[request.endpoint]
    access = access_of(view)
    if access == ANYONE:
        return
    g.actor = actor = _authenticated()
    if _lacks_second_factor(actor) and not getattr(view, "is_before_second_factor", False):
        raise SecondFactorNotEnrolled
    if access not in actor.permissions:
        raise Forbidden(f"This needs the permission {access}", permission=access)
    if actor.operations is not None and view.__name__ not in actor.operations:
        raise OperationNotAllowed(operation=view.__name__)


def _lacks_second_factor(actor: Actor) -> bool:
    """Tell whether staff have yet to enrol. A key has no factor: whoever made it had one."""
    is_asked = shop().settings.require_staff_second_factor and actor.key_id is None
    return is_asked and not actor.has_second_factor and not actor.permissions.isdisjoint(OF_STAFF)


def _authenticated() -> Actor:
    token = _bearer_token()
    find = _find_key_holder if token.startswith(KEY_PREFIX) else _find_signed_in
    actor = find(token)
    if actor is None:
        raise InvalidToken
    return actor


def _find_signed_in(token: str) -> Actor | None:
    customer_id, session_id = shop().tokens.read(token)

    def find() -> Actor | None:
        with shop().db.read() as session:
            return shop().find_actor(session, customer_id, session_id)

    return shop().db.retrying(find)


def _find_key_holder(secret: str) -> Actor | None:
    def find() -> PresentedKey | None:
        with shop().db.read() as session:
            return shop().find_key(session, secret)

    presented = shop().db.retrying(find)
    if presented is None:
        return None
    if presented.is_use_to_be_noted:
        _note_use(presented.actor)
    return presented.actor


def _note_use(actor: Actor) -> None:
    """Note that a key is in use. A database that cannot write just now does not keep it from reading."""
    try:
        with shop().db.write() as session:
            shop().note_use(session, cast("int", actor.key_id))
    except (DBAPIError, OutcomeUnknown) as failure:
        current_app.logger.warning("the use of key %s was not noted: %s", actor.key_id, type(failure).__name__)


def _bearer_token() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if not token or scheme.lower() != "bearer":
        raise Unauthenticated
    return token.strip()


def _with_actor(view: Callable[..., Response]) -> Callable[..., Response]:
    @wraps(view)
    def with_actor(**arguments: Any) -> Response:
        return view(actor=g.actor, **arguments)

    return with_actor


def _marked(view: View, access: Access) -> View:
    view.access = access  # type: ignore[attr-defined]
    return view


class SecondFactorNotEnrolled(Forbidden):
    code = "second_factor_not_enrolled"
    message = "This shop asks staff for a second factor: enrol one first"
