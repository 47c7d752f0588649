"""Public JSON of roles and staff."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
)
from pydantic_core import PydanticCustomError

from flaskart.accounts.models import (
    MAX_ROLE_NAME,
    Customer,
    StaffRole,
)
from flaskart.accounts.schemas.keys import Some, _named
from flaskart.kit.actor import OF_STAFF, Permission
from flaskart.kit.paging import Page
from flaskart.web.fields import Change, Input, Pagination


def _of_staff(permission: Permission) -> Permission:
    if permission not in OF_STAFF:
        raise PydanticCustomError("permission", "Everybody has this permission, without a role")
    return permission


# JSON has no enumerations, so that text is taken for one although nothing else is converted.
StaffPermission = Annotated[Permission, Field(strict=False), AfterValidator(_of_staff), _named(OF_STAFF)]
RoleName = Annotated[str, Field(max_length=MAX_ROLE_NAME, pattern=r"^[a-z][a-z0-9_]*$", examples=["packer"])]


class NewRole(Input):
    name: RoleName
    permissions: Some[StaffPermission]


class RoleChange(Change):
    name: RoleName | None = None
    permissions: Some[StaffPermission] | None = None


class RolePath(BaseModel):
    role_id: int


class RoleOut(BaseModel):
    id: int
    name: str
    permissions: list[Permission]
    is_built_in: bool

    @classmethod
    def of(cls, role: StaffRole) -> "RoleOut":
        return cls(id=role.id, name=role.name, permissions=sorted(role.holds), is_built_in=role.is_built_in)


class RoleList(BaseModel):
    roles: list[RoleOut]


class RoleAdded(BaseModel):
    msg: str
    role: RoleOut


class RoleChanged(BaseModel):
    msg: str
    role: RoleOut


class RolesWanted(Input):
    """All roles that the account shall have, by their names."""

    roles: Annotated[list[RoleName], Field(max_length=100)]


class StaffPath(BaseModel):
    customer_id: int


class StaffOut(BaseModel):
    """`permissions` is what the roles allow together."""

    id: int
    username: str
    email: str
    roles: list[str]
    permissions: list[Permission]

    @classmethod
    def of(cls, account: Customer, roles: Sequence[StaffRole]) -> "StaffOut":
        return cls(
            id=account.id,
            username=account.username,
            email=account.email,
            roles=[role.name for role in roles],
            permissions=sorted(frozenset[Permission]().union(*(role.holds for role in roles))),
        )


class StaffList(BaseModel):
    staff: list[StaffOut]
    pagination: Pagination

    @classmethod
    def of(cls, page: Page[Customer], roles: Mapping[int, Sequence[StaffRole]]) -> "StaffList":
        staff = [StaffOut.of(account, roles.get(account.id, ())) for account in page.rows]
        return cls(staff=staff, pagination=Pagination.of(page))


class StaffChanged(BaseModel):
    msg: str
    staff: StaffOut
