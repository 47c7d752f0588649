"""Who asks: the one argument by which actions and queries know whose things they may touch, and what they may do."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

ALL = "*"  # a stored list of permissions that holds every one of staff's, those of later versions too


class Role(StrEnum):
    CUSTOMER = "customer"
    STAFF = "staff"


class Permission(StrEnum):
    """What somebody may do. Whoever is signed in may shop and manage their own account; the rest takes a role."""

    SHOPPING = "shopping"
    ACCOUNT = "account"
    CATALOG_WRITE = "catalog.write"
    ORDERS_READ = "orders.read"
    ORDERS_WRITE = "orders.write"
    ORDERS_REFUND = "orders.refund"
    CUSTOMERS_READ = "customers.read"
    CUSTOMERS_WRITE = "customers.write"
    STAFF_READ = "staff.read"
    STAFF_WRITE = "staff.write"
    KEYS_WRITE = "keys.write"
    AUDIT_READ = "audit.read"
    SETTINGS_READ = "settings.read"
    SETTINGS_WRITE = "settings.write"


Permissions = frozenset[Permission]
OF_EVERYONE = frozenset({Permission.SHOPPING, Permission.ACCOUNT})
OF_STAFF = frozenset(Permission) - OF_EVERYONE
# A key that could do these could make itself another key, or its owner another person.
NEVER_OF_KEYS = frozenset({Permission.ACCOUNT, Permission.STAFF_WRITE, Permission.KEYS_WRITE})
OF_KEYS = frozenset(Permission) - NEVER_OF_KEYS


@dataclass(frozen=True, slots=True)
class Actor:
    """An account that acts, signed in or through a key.

    `session_id` names the sign-in (the family of its refresh tokens), `key_id` the key, which has no sign-in. A key may
    be bound to some `operations`, and to a spend cap.
    """

    customer_id: int
    permissions: Permissions
    session_id: str
    key_id: int | None = None
    operations: frozenset[str] | None = None
    has_spend_cap: bool = False
    has_second_factor: bool = False


@dataclass(frozen=True, slots=True)
class PresentedKey:
    """A key that came with a request: who acts with it, and whether its last use is worth noting again."""

    actor: Actor
    is_use_to_be_noted: bool


@lru_cache(maxsize=1_024)
def permissions_in(listed: str) -> Permissions:
    """Read a list as it is stored, names separated by spaces; a name that this version does not know allows nothing."""
    names = frozenset(listed.split())
    of_all = OF_STAFF if ALL in names else frozenset[Permission]()
    return of_all | {permission for permission in Permission if permission in names}


@lru_cache(maxsize=1_024)
def permissions_with(listed: str) -> Permissions:
    """Return what an account may do that was granted what is listed."""
    return OF_EVERYONE | permissions_in(listed)


def stored(permissions: Permissions) -> str:
    """Return the list as it is stored."""
    return " ".join(sorted(permissions))
