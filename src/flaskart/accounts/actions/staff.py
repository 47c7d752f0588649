"""Who may do what: roles, and whom they are granted to. Nobody gives, takes or changes more than they hold."""

from collections.abc import Collection

from sqlalchemy import delete, update

from flaskart.accounts import queries
from flaskart.accounts.errors import (
    AccountNotFound,
    LastOwner,
    MoreThanHeld,
    RoleBuiltIn,
    RoleInUse,
    RoleNameTaken,
    RoleUnknown,
)
from flaskart.accounts.models import CUSTOMER, Customer, RoleGrant, StaffRole
from flaskart.kit import audit, clock
from flaskart.kit.actor import Actor, Permission, Permissions, Role, stored
from flaskart.kit.audit import SYSTEM, Kind, Subject, System
from flaskart.kit.db import Session
from flaskart.kit.duplicates import translated
from flaskart.kit.errors import Forbidden, ShopError

TAKEN: dict[str, type[ShopError]] = {"uq_role_name role.name": RoleNameTaken}
ROLE = Kind("role", frozenset({"name", "permissions"}))


def create_role(session: Session, actor: Actor, *, name: str, permissions: Permissions) -> StaffRole:
    """Make a role.

    Raises:
        MoreThanHeld: `missing` lists what the actor does not hold.
        RoleNameTaken: there is one.
    """
    require_held(permissions, by=_rights_of(session, actor))
    role = StaffRole(name=name, permissions=stored(permissions), is_built_in=False)
    with translated(session, TAKEN):
        session.add(role)
    audit.record(session, actor, "role.added", Subject(ROLE, role.id), after=audit.fields_of(role))
    return role


def edit_role(
    session: Session, actor: Actor, role_id: int, *, name: str | None = None, permissions: Permissions | None = None
) -> StaffRole:
    """Change what is given of a role; whoever has it may do so, or may not any more, with their next request.

    Raises:
        RoleNotFound: no such role.
        RoleBuiltIn: it is not the shop's own.
        MoreThanHeld: it holds more than the actor, or would.
        RoleNameTaken: by another one.
    """
    role = _lock_changeable(session, actor, role_id, permissions or frozenset())
    before = audit.fields_of(role)
    with translated(session, TAKEN):
        if name is not None:
            role.name = name
        if permissions is not None:
            role.permissions = stored(permissions)
    audit.record(session, actor, "role.updated", Subject(ROLE, role.id), before=before, after=audit.fields_of(role))
    return role


def delete_role(session: Session, actor: Actor, role_id: int) -> None:
    """Delete a role that nobody has.

    Raises:
        RoleNotFound: no such role.
        RoleBuiltIn: it is not the shop's own.
        MoreThanHeld: it holds more than the actor.
        RoleInUse: `accounts` is how many have it.
    """
    role = _lock_changeable(session, actor, role_id)
    accounts = queries.count_grants(session, role)
    if accounts:
        raise RoleInUse(accounts=accounts)
    session.delete(role)
    session.flush()
    audit.record(session, actor, "role.removed", Subject(ROLE, role.id), before=audit.fields_of(role))


def set_roles(session: Session, actor: Actor, customer_id: int, names: Collection[str]) -> Customer:
    """Give an account these roles and no others; with none it is a customer.

    Raises:
        AccountNotFound: no such account, or erased.
        RoleUnknown: `unknown` lists the names.
        MoreThanHeld: a role that it would get or lose holds more than the actor.
        LastOwner: nobody else is one.
    """
    held = _rights_of(session, actor)
    customer = _get_account(session, customer_id)
    current = _roles_of(session, customer)
    wanted = _roles_named(session, names)
    for role in current ^ wanted:
        require_held(role.holds, by=held)
    _change(session, actor, customer, current, wanted)
    return customer


def grant_roles(session: Session, customer: Customer, names: Collection[str]) -> None:
    """Grant roles on behalf of whoever has the machine, who may do everything.

    Raises:
        RoleUnknown: `unknown` lists the names.
    """
    queries.lock_rights(session)
    current = _roles_of(session, customer)
    _change(session, SYSTEM, customer, current, current | _roles_named(session, names))


def revoke_roles(session: Session, customer: Customer, names: Collection[str]) -> None:
    """Take roles away on behalf of whoever has the machine.

    Raises:
        RoleUnknown: `unknown` lists the names.
        LastOwner: nobody else is one.
    """
    queries.lock_rights(session)
    current = _roles_of(session, customer)
    _change(session, SYSTEM, customer, current, current - _roles_named(session, names))


def leave_staff(session: Session, actor: Actor, customer: Customer) -> None:
    """Take all roles from an account that is erased.

    Raises:
        LastOwner: nobody else is one.
    """
    queries.lock_rights(session)
    _change(session, actor, customer, _roles_of(session, customer), frozenset())


def require_held(permissions: Permissions, *, by: Permissions) -> None:
    """Refuse what somebody does not hold themselves.

    Raises:
        MoreThanHeld: `missing` lists it.
    """
    if not permissions <= by:
        raise MoreThanHeld(missing=sorted(permissions - by))


def _rights_of(session: Session, actor: Actor) -> Permissions:
    """Return what the actor holds now that nobody else changes it any more.

    Raises:
        Forbidden: the right to change rights was taken from them a moment ago.
    """
    queries.lock_rights(session)
    held = queries.get_permissions(session, actor.customer_id)
    if Permission.STAFF_WRITE not in held:
        raise Forbidden(permission=Permission.STAFF_WRITE)
    return held


def _lock_changeable(
    session: Session, actor: Actor, role_id: int, wanted: Permissions = frozenset[Permission]()
) -> StaffRole:
    held = _rights_of(session, actor)
    role = queries.get_role(session, role_id)
    if role.is_built_in:
        raise RoleBuiltIn
    require_held(role.holds | wanted, by=held)
    return role


def _get_account(session: Session, customer_id: int) -> Customer:
    customer = session.get(Customer, customer_id)
    if customer is None or customer.erased_at is not None:
        raise AccountNotFound
    return customer


def _roles_of(session: Session, customer: Customer) -> frozenset[StaffRole]:
    return frozenset(queries.roles_of(session, [customer]).get(customer.id, ()))


def _roles_named(session: Session, names: Collection[str]) -> frozenset[StaffRole]:
    roles = {role.name: role for role in queries.list_roles(session)}
    unknown = sorted(set(names) - roles.keys())
    if unknown:
        raise RoleUnknown(f"There is no role {unknown[0]}", unknown=unknown)
    return frozenset(roles[name] for name in names)


def _change(
    session: Session,
    actor: Actor | System,
    customer: Customer,
    current: frozenset[StaffRole],
    wanted: frozenset[StaffRole],
) -> None:
    """Change an account's roles, and what its row says of them. Rights are locked, so that one owner is left."""
    lost = [role.id for role in current - wanted]
    if any(role.is_owner for role in current - wanted) and not queries.is_owner_besides(session, customer.id):
        raise LastOwner
    session.execute(delete(RoleGrant).where(RoleGrant.customer_id == customer.id, RoleGrant.role_id.in_(lost)))
    now = clock.now()
    gained = sorted(role.id for role in wanted - current)
    session.add_all([RoleGrant(customer_id=customer.id, role_id=role_id, granted_at=now) for role_id in gained])
    role = Role.STAFF if wanted else Role.CUSTOMER
    living = update(Customer).where(Customer.id == customer.id, Customer.erased_at.is_(None)).values(role=role)
    if session.scalar(living.returning(Customer.id)) is None:
        raise AccountNotFound  # erased while this waited for its row
    session.flush()
    before, after = ({"roles": sorted(role.name for role in roles)} for roles in (current, wanted))
    audit.record(session, actor, "staff.roles_changed", Subject(CUSTOMER, customer.id), before=before, after=after)
