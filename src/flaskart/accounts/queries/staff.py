"""Roles, and who has them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import func, select

from flaskart.accounts.errors import (
    RoleNotFound,
)
from flaskart.accounts.models import (
    Customer,
    RoleGrant,
    StaffRole,
)
from flaskart.kit.actor import ALL, Role
from flaskart.kit.db import Session
from flaskart.kit.paging import Page, decode_cursor, page_of


def lock_rights(session: Session) -> None:
    """Have changes of roles, and of whom they are granted to, go one after another until the transaction ends."""
    owner = select(StaffRole.id).where(StaffRole.permissions == ALL)
    session.execute(owner.with_for_update(key_share=True))


def list_roles(session: Session) -> Sequence[StaffRole]:
    return session.scalars(select(StaffRole).order_by(StaffRole.id)).all()


def get_role(session: Session, role_id: int) -> StaffRole:
    """Return a role.

    Raises:
        RoleNotFound: no such role.
    """
    role = session.get(StaffRole, role_id)
    if role is None:
        raise RoleNotFound
    return role


def count_grants(session: Session, role: StaffRole) -> int:
    return session.scalars(select(func.count()).where(RoleGrant.role_id == role.id)).one()


def is_owner(session: Session, customer_id: int) -> bool:
    """Tell whether somebody may do everything."""
    own = (
        select(RoleGrant.id)
        .join(StaffRole, StaffRole.id == RoleGrant.role_id)
        .where(StaffRole.permissions == ALL, RoleGrant.customer_id == customer_id)
    )
    return session.scalar(own.limit(1)) is not None


def is_owner_besides(session: Session, customer_id: int) -> bool:
    """Tell whether anybody else is an owner, and not disabled."""
    others = (
        select(RoleGrant.id)
        .join(StaffRole, StaffRole.id == RoleGrant.role_id)
        .join(Customer, Customer.id == RoleGrant.customer_id)
        .where(StaffRole.permissions == ALL, Customer.id != customer_id, Customer.disabled_at.is_(None))
    )
    return session.scalar(others.limit(1)) is not None


def list_staff(session: Session, *, limit: int, after: str | None) -> Page[Customer]:
    """Return a page of the accounts that were granted a role, the oldest first."""
    last_id = 0 if after is None else decode_cursor(after)
    staff = select(Customer).where(Customer.role == Role.STAFF, Customer.erased_at.is_(None), Customer.id > last_id)
    rows = session.scalars(staff.order_by(Customer.id).limit(limit + 1)).all()
    return page_of(rows, limit, key=lambda customer: customer.id)


def roles_of(session: Session, customers: Sequence[Customer]) -> Mapping[int, Sequence[StaffRole]]:
    """Return the roles of some accounts, by their ids. One statement."""
    grants = (
        select(RoleGrant.customer_id, StaffRole)
        .join(StaffRole, StaffRole.id == RoleGrant.role_id)
        .where(RoleGrant.customer_id.in_([customer.id for customer in customers]))
    )
    roles = defaultdict[int, list[StaffRole]](list)
    for customer_id, role in session.execute(grants.order_by(StaffRole.id)):
        roles[customer_id].append(role)
    return roles
