"""Who calls: a caller of each kind, for a route that needs some permission; and the routes there are."""

import re
from collections.abc import Mapping
from enum import StrEnum

from flaskart.kit.actor import OF_EVERYONE, OF_KEYS, OF_STAFF
from flaskart.web.auth import ANYONE, Access, access_of
from flaskart.web.openapi import ShopApp
from tests.authorization.table import Row
from tests.authorization.things import Id, unique
from tests.callers import Answer, Caller, Make


class Kind(StrEnum):
    ANONYMOUS = "anonymous"
    CUSTOMER = "customer"
    STAFF_WITHOUT = "staff without the right"
    STAFF_WITH = "staff with no other right"
    NARROW_KEY = "key with every scope but the one"
    WIDE_KEY = "key with every scope"


def lets_in(access: Access, kind: Kind) -> bool:
    """Tell whether a route with this mark is for this kind of caller."""
    if access == ANYONE:
        return True
    if kind in (Kind.CUSTOMER, Kind.STAFF_WITHOUT):
        return access in OF_EVERYONE
    return kind is Kind.STAFF_WITH or (kind is Kind.WIDE_KEY and access in OF_KEYS)


def caller_of(kind: Kind, access: Access, make: Make) -> Caller:
    """Make a caller with an account of their own; a key acts for an owner of the shop."""
    if kind is Kind.ANONYMOUS:
        return make.anyone()
    if kind is Kind.CUSTOMER:
        return make.customer(unique("customer"))
    if kind is Kind.STAFF_WITHOUT:
        return make.staff(unique("staff"), OF_STAFF - {access})
    if kind is Kind.STAFF_WITH:
        return make.staff(unique("staff"), {access} if access in OF_STAFF else {"audit.read"})  # type: ignore[arg-type]
    key = make.key(make.staff(unique("boss")), OF_KEYS - {access} if kind is Kind.NARROW_KEY else OF_KEYS)
    key.get("/admin/roles")  # notes its first use, which is a write
    return key


def ask(caller: Caller, route: str, row: Row, thing: Id, more: Mapping[str, object] | None = None) -> Answer:
    """Send the request of a row about a thing, with `more` members than its body has."""
    method, _, path = route.partition(" ")
    body = row.body_for(thing)
    if more:
        body = {**(body or {}), **more}
    return caller.call(method, re.sub(r"\{\w+\}", str(thing), path), body)


def routes_of(app: ShopApp) -> Mapping[str, Access]:
    """Return what each route of the app needs, by method and path."""
    return {
        f"{method} {path}": access_of(app.view_functions[rule.endpoint])
        for rule in app.url_map.iter_rules()
        for path in [re.sub(r"<(?:[^<:]+:)?([^>]+)>", r"{\1}", rule.rule)]
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def line_for(route: str, access: Access) -> str:
    """Return the line that the table lacks, to be completed."""
    permission = "ANYONE" if access == ANYONE else f"Permission.{access.name}"
    thing = ", <what the path names>" if "{" in route else ""
    body = ", body={<what makes it succeed>}" if route.split(maxsplit=1)[0] in ("POST", "PUT", "PATCH") else ""
    return f'    "{route}": Row({permission}{thing}{body}),'
