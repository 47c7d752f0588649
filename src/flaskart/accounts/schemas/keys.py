"""Public JSON of API keys."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from flaskart.accounts.actions.keys import PREFIX, SpendCap
from flaskart.accounts.models import (
    MAX_KEY_NAME,
    ApiKey,
)
from flaskart.kit.actor import OF_KEYS, Permission, Permissions, permissions_in
from flaskart.kit.money import to_major, to_minor
from flaskart.kit.paging import Page
from flaskart.web.fields import Amount, Change, Input, Line, NoControls, Pagination


def _of_keys(permission: Permission) -> Permission:
    if permission not in OF_KEYS:
        raise PydanticCustomError("permission", "No API key has this permission, only a person")
    return permission


def _named(permissions: Permissions) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": sorted(permissions)})


Scope = Annotated[Permission, Field(strict=False), AfterValidator(_of_keys), _named(OF_KEYS)]
KeyName = Annotated[Line, Field(max_length=MAX_KEY_NAME, examples=["Warehouse"]), NoControls]
OperationId = Annotated[str, Field(max_length=100, pattern=r"^[a-z_]+$", examples=["place_order"])]
Item = TypeVar("Item")
Some = Annotated[list[Item], Field(min_length=1, max_length=100)]


class NewApiKey(Input):
    """`scopes` is what the key may do, `operations` the only operations it is for, if it is not for all.

    `spend_cap`, in the shop's currency, is how much may be ordered with it in all.
    """

    name: KeyName
    scopes: Some[Scope]
    operations: Some[OperationId] | None = None
    expires_in_days: Annotated[int, Field(ge=1, le=3_650, description="Null: never.")] | None = 365
    spend_cap: Amount | None = None

    def cap(self, currency: str) -> SpendCap | None:
        return _cap(self.spend_cap, currency)


class KeyChange(Change):
    name: KeyName | None = None
    scopes: Some[Scope] | None = None
    operations: Some[OperationId] | None = None
    spend_cap: Amount | None = None

    def cap(self, currency: str) -> SpendCap | None:
        return _cap(self.spend_cap, currency)


class KeyRotation(Input):
    """`overlap_seconds` is how long the secret before works on."""

    overlap_seconds: Annotated[int, Field(ge=0, le=7 * 86_400)] = 3_600


class KeyPath(BaseModel):
    key_id: int


class KeyOut(BaseModel):
    """`hint` is how the secret begins and ends. `spent` is what was ordered under the cap; both are null without."""

    id: int
    customer_id: int
    name: str
    hint: str
    scopes: list[Permission]
    operations: list[str] | None
    spend_cap: Amount | None
    spent: Amount | None
    currency: str | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey) -> "KeyOut":
        return cls(
            id=key.id,
            customer_id=key.customer_id,
            name=key.name,
            hint=f"{PREFIX}…{key.last_four}",
            scopes=sorted(permissions_in(key.scopes)),
            operations=None if key.operations is None else key.operations.split(),
            spend_cap=_amount(key.spend_cap_minor, key.currency),
            spent=_amount(key.spent_minor, key.currency),
            currency=key.currency,
            created_at=key.created_at,
            expires_at=key.expires_at,
            last_used_at=key.last_used_at,
            revoked_at=key.revoked_at,
        )


class KeyList(BaseModel):
    keys: list[KeyOut]
    pagination: Pagination

    @classmethod
    def of(cls, page: Page[ApiKey]) -> "KeyList":
        return cls(keys=[KeyOut.of(key) for key in page.rows], pagination=Pagination.of(page))


class KeyShown(BaseModel):
    key: KeyOut


class KeyChanged(BaseModel):
    msg: str
    key: KeyOut


class KeySecret(BaseModel):
    """`secret` is shown this once; only its hash is kept."""

    msg: str
    secret: str
    key: KeyOut


def _cap(amount: Decimal | None, currency: str) -> SpendCap | None:
    return None if amount is None else SpendCap(to_minor(amount, currency, pointer="/spend_cap"), currency)


def _amount(minor: int | None, currency: str | None) -> Decimal | None:
    return None if minor is None or currency is None else to_major(minor, currency)
