"""The staff's door to roles."""

from flask import Response

from flaskart.accounts import actions, queries
from flaskart.accounts.errors import MoreThanHeld, RoleBuiltIn, RoleInUse, RoleNameTaken, RoleNotFound
from flaskart.accounts.schemas import (
    Done,
    NewRole,
    RoleAdded,
    RoleChange,
    RoleChanged,
    RoleList,
    RoleOut,
    RolePath,
)
from flaskart.kit.actor import Actor, Permission
from flaskart.web.auth import permitted
from flaskart.web.http import db, show
from flaskart.web.idempotency import writing
from flaskart.web.openapi import answers, door

api = door("roles", __name__, "/admin/roles", "staff", "Who may do what.")


@api.get("", responses=answers(RoleList))
@permitted(Permission.STAFF_READ)
def list_roles(actor: Actor) -> Response:
    """List all roles."""
    with db().read() as session:
        return show(RoleList(roles=[RoleOut.of(role) for role in queries.list_roles(session)]))


@api.post("", responses=answers(RoleAdded, MoreThanHeld, RoleNameTaken, status=201))
@permitted(Permission.STAFF_WRITE)
def create_role(actor: Actor, body: NewRole) -> Response:
    """Make a role of permissions that one holds oneself."""
    with writing() as session:
        role = actions.create_role(session, actor, name=body.name, permissions=frozenset(body.permissions))
        return show(RoleAdded(msg="Role added", role=RoleOut.of(role)), 201)


@api.patch("/<id:role_id>", responses=answers(RoleChanged, RoleNotFound, RoleBuiltIn, MoreThanHeld, RoleNameTaken))
@permitted(Permission.STAFF_WRITE)
def edit_role(actor: Actor, path: RolePath, body: RoleChange) -> Response:
    """Change a role that holds no more than oneself; it counts from the next request of whoever has it."""
    permissions = None if body.permissions is None else frozenset(body.permissions)
    with writing() as session:
        role = actions.edit_role(session, actor, path.role_id, name=body.name, permissions=permissions)
        return show(RoleChanged(msg="Role updated", role=RoleOut.of(role)))


@api.delete("/<id:role_id>", responses=answers(Done, RoleNotFound, RoleBuiltIn, MoreThanHeld, RoleInUse))
@permitted(Permission.STAFF_WRITE)
def delete_role(actor: Actor, path: RolePath) -> Response:
    """Delete a role that nobody has."""
    with writing() as session:
        actions.delete_role(session, actor, path.role_id)
        return show(Done(msg="Role deleted"))
