"""The staff's door to staff: who they are and which roles they have."""

from flask import Response

from flaskart.accounts import actions, queries
from flaskart.accounts.errors import AccountNotFound, LastOwner, MoreThanHeld, RoleUnknown
from flaskart.accounts.schemas import RolesWanted, StaffChanged, StaffList, StaffOut, StaffPath
from flaskart.kit.actor import Actor, Permission
from flaskart.web.auth import permitted
from flaskart.web.fields import PageQuery
from flaskart.web.http import db, show, show_page
from flaskart.web.idempotency import writing
from flaskart.web.openapi import answers, door

api = door("staff", __name__, "/admin/staff", "staff", "Who may do what.")


@api.get("", responses=answers(StaffList))
@permitted(Permission.STAFF_READ)
def list_staff(actor: Actor, query: PageQuery) -> Response:
    """List the accounts that have a role, the oldest first."""
    with db().read() as session:
        page = queries.list_staff(session, limit=query.limit, after=query.after)
        return show_page(StaffList.of(page, queries.roles_of(session, page.rows)), page)


@api.put(
    "/<id:customer_id>/roles", responses=answers(StaffChanged, AccountNotFound, RoleUnknown, MoreThanHeld, LastOwner)
)
@permitted(Permission.STAFF_WRITE)
def set_roles(actor: Actor, path: StaffPath, body: RolesWanted) -> Response:
    """Give an account these roles and no others; with none it is a customer.

    It counts from the account's next request. Nobody gives or takes a role that holds more than they do.
    """
    with writing() as session:
        account = actions.set_roles(session, actor, path.customer_id, body.roles)
        roles = queries.roles_of(session, [account]).get(account.id, ())
        return show(StaffChanged(msg="Roles updated", staff=StaffOut.of(account, roles)))
