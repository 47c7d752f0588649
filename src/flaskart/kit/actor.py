"""Who asks: the one argument by which actions and queries know whose things they may touch."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    CUSTOMER = "customer"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in account. `session_id` names the sign-in (the family of its refresh tokens)."""

    customer_id: int
    role: Role
    session_id: str
