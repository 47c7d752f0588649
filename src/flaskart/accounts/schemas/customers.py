"""Public JSON of accounts as staff see them."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import (
    BaseModel,
    Field,
)

from flaskart.accounts.models import (
    MAX_EMAIL,
    MAX_REASON,
    Customer,
    CustomerState,
)
from flaskart.accounts.queries import CustomerFilter
from flaskart.kit.actor import Role
from flaskart.kit.paging import Page
from flaskart.web.fields import Input, Line, Moment, NoControls, PageQuery, Pagination


class CustomerPath(BaseModel):
    customer_id: int


class CustomerQuery(PageQuery):
    q: Annotated[
        Line | None, Field(max_length=MAX_EMAIL, description="How a username or e-mail address begins."), NoControls
    ] = None
    state: CustomerState | None = None
    role: Role | None = None
    created_since: Annotated[Moment | None, Field(description="Created then or later.")] = None
    created_until: Annotated[Moment | None, Field(description="Created before that.")] = None

    def filter(self) -> CustomerFilter:
        return CustomerFilter(self.q, self.state, self.role, self.created_since, self.created_until)


class Disabling(Input):
    reason: Annotated[Line, Field(max_length=MAX_REASON, examples=["Chargebacks"]), NoControls]


class CustomerOut(BaseModel):
    """An account as staff see it. One that is erased has no name any more."""

    id: int
    username: str | None
    email: str | None
    role: Role
    state: CustomerState
    is_email_verified: bool
    created_at: datetime

    @classmethod
    def of(cls, customer: Customer) -> Self:
        is_erased = customer.state is CustomerState.ERASED
        return cls(
            id=customer.id,
            username=None if is_erased else customer.username,
            email=None if is_erased else customer.email,
            role=Role(customer.role),
            state=customer.state,
            is_email_verified=customer.email_verified_at is not None,
            created_at=customer.created_at,
        )


class CustomerDetails(CustomerOut):
    """`last_seen_at` is when they last signed in or went on with a sign-in, as long as that is kept."""

    disabled_at: datetime | None
    disabled_reason: str | None
    erased_at: datetime | None
    last_seen_at: datetime | None

    @classmethod
    def of_all(cls, customer: Customer, *, last_seen_at: datetime | None) -> Self:
        return cls(
            **dict(CustomerOut.of(customer)),
            disabled_at=customer.disabled_at,
            disabled_reason=customer.disabled_reason,
            erased_at=customer.erased_at,
            last_seen_at=last_seen_at,
        )


class CustomerShown(BaseModel):
    customer: CustomerDetails


class CustomerChanged(BaseModel):
    msg: str
    customer: CustomerDetails


class CustomerList(BaseModel):
    customers: list[CustomerOut]
    pagination: Pagination

    @classmethod
    def of(cls, page: Page[Customer]) -> Self:
        return cls(customers=[CustomerOut.of(row) for row in page.rows], pagination=Pagination.of(page))
