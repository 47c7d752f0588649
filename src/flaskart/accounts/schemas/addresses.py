"""Public JSON of the address book."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    Field,
    StringConstraints,
)

from flaskart.accounts.models import (
    MAX_POSTAL,
    Address,
)
from flaskart.accounts.postal import PostalAddress, national_form
from flaskart.web.fields import Change, Input, Line, NoControls

PostalLine = Annotated[Line, Field(max_length=MAX_POSTAL), NoControls]
MaybePostalLine = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=MAX_POSTAL, pattern=r"^[^\r\n\t]*$"),
    NoControls,
]
PostalLines = Annotated[list[PostalLine], Field(max_length=4, examples=[["1600 Amphitheatre Parkway"]])]
Region = Annotated[MaybePostalLine, Field(description="Its code, or its name.", examples=["CA"])]
PostalCode = Annotated[MaybePostalLine, Field(max_length=20, examples=["94043"])]
Country = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_upper=True, pattern=r"^[A-Za-z]{2}$"),
    Field(description="A code of ISO 3166-1, two letters.", examples=["US"]),
]
Phone = Annotated[
    MaybePostalLine,
    Field(description="With the country's code, or as it is dialled in the country.", examples=["+1 650 253 0000"]),
]


class AddressPath(BaseModel):
    address_id: int


class NewAddress(Input):
    """What an address needs depends on its country; what it does not need may be left out, or empty."""

    name: PostalLine
    company: MaybePostalLine = ""
    lines: PostalLines = []
    district: MaybePostalLine = ""
    city: MaybePostalLine = ""
    region: Region = ""
    postal_code: PostalCode = ""
    country: Country
    phone: Phone = ""
    is_default_shipping: bool = False
    is_default_billing: bool = False

    def postal(self) -> PostalAddress:
        return PostalAddress(**self.model_dump(exclude={"is_default_shipping", "is_default_billing"}))


class AddressChange(Change):
    """What to change; what is not given stays, and an empty string takes away what the country does not need."""

    name: PostalLine | None = None
    company: MaybePostalLine | None = None
    lines: PostalLines | None = None
    district: MaybePostalLine | None = None
    city: MaybePostalLine | None = None
    region: Region | None = None
    postal_code: PostalCode | None = None
    country: Country | None = None
    phone: Phone | None = None
    is_default_shipping: bool | None = None
    is_default_billing: bool | None = None

    def changes(self) -> dict[str, Any]:
        return self.model_dump(exclude_unset=True, exclude={"is_default_shipping", "is_default_billing"})


class AddressOut(BaseModel):
    """`phone` is in E.164, `phone_national` the same number as it is written in its country."""

    id: int
    name: str
    company: str
    lines: list[str]
    district: str
    city: str
    region: str
    postal_code: str
    country: str
    phone: str
    phone_national: str
    is_default_shipping: bool
    is_default_billing: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, address: Address) -> "AddressOut":
        shown = {name: getattr(address, name) for name in cls.model_fields if name != "phone_national"}
        return cls(phone_national=national_form(address.phone) if address.phone else "", **shown)


class AddressBook(BaseModel):
    addresses: list[AddressOut]

    @classmethod
    def of(cls, addresses: Sequence[Address]) -> "AddressBook":
        return cls(addresses=[AddressOut.of(address) for address in addresses])


class AddressShown(BaseModel):
    address: AddressOut


class AddressChanged(BaseModel):
    msg: str
    address: AddressOut
