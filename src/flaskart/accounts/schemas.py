"""Public JSON of the accounts room."""

import unicodedata
from datetime import datetime
from typing import Annotated, Literal

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BaseModel, Field, StringConstraints, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from flaskart.accounts.models import MAX_EMAIL, MAX_USERNAME, Customer, fold
from flaskart.kit.actor import Role
from flaskart.web.fields import Change, Input, Line, NoControls


def _username(name: str) -> str:
    name = unicodedata.normalize("NFKC", name)
    if len(name) > MAX_USERNAME or len(fold(name)) > MAX_USERNAME:
        raise PydanticCustomError("string_too_long", "At most {limit} characters", {"limit": MAX_USERNAME})
    if "@" in name or any(character.isspace() for character in name):
        raise PydanticCustomError("username_characters", "A username has neither spaces nor an @")
    return name


def _email(address: str) -> str:
    try:
        address = validate_email(address, check_deliverability=False, globally_deliverable=False).normalized
    except EmailNotValidError as refused:
        raise PydanticCustomError("email", "{reason}", {"reason": str(refused)}) from None
    if len(fold(address)) > MAX_EMAIL:
        raise PydanticCustomError("string_too_long", "At most {limit} characters", {"limit": MAX_EMAIL})
    return address


Username = Annotated[Line, Field(max_length=MAX_USERNAME, examples=["alice"]), AfterValidator(_username), NoControls]
EmailAddress = Annotated[
    str,
    Field(max_length=MAX_EMAIL),
    AfterValidator(_email),
    WithJsonSchema({"type": "string", "format": "email", "maxLength": MAX_EMAIL, "examples": ["alice@example.com"]}),
]
Password = Annotated[str, StringConstraints(min_length=1, max_length=1_024)]
NewPassword = Annotated[str, StringConstraints(min_length=8, max_length=1_024), Field(examples=["correct horse"])]
Token = Annotated[str, StringConstraints(min_length=1, max_length=512)]


class Registration(Input):
    username: Username
    email: EmailAddress
    password: NewPassword


class Credentials(Input):
    """A password, and either the username or the e-mail address; `username` may hold either."""

    username: Annotated[Line, Field(max_length=MAX_EMAIL), NoControls] | None = None
    email: Annotated[Line, Field(max_length=MAX_EMAIL), NoControls] | None = None
    password: Password

    @model_validator(mode="after")
    def _one_name(self) -> "Credentials":
        if (self.username is None) == (self.email is None):
            raise PydanticCustomError("login_name", "Give either a username or an e-mail address")
        return self

    @property
    def name(self) -> str:
        return self.username or self.email or ""


class RefreshRequest(Input):
    refresh_token: Token


class LogoutRequest(Input):
    refresh_token: Token | None = None


class AccountChange(Change):
    username: Username | None = None
    email: EmailAddress | None = None


class PasswordChange(Input):
    current_password: Password
    new_password: NewPassword


class AccountOut(BaseModel):
    id: int
    username: str
    email: str
    role: Role
    is_email_verified: bool
    created_at: datetime

    @classmethod
    def of(cls, customer: Customer) -> "AccountOut":
        return cls(
            id=customer.id,
            username=customer.username,
            email=customer.email,
            role=Role(customer.role),
            is_email_verified=customer.email_verified_at is not None,
            created_at=customer.created_at,
        )


class Registered(BaseModel):
    msg: str
    user: AccountOut


class AccountShown(BaseModel):
    user: AccountOut


class AccountChanged(BaseModel):
    msg: str
    user: AccountOut


class TokenPair(BaseModel):
    """`expires_in` is how many seconds the access token is valid."""

    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"]
    expires_in: int


class Done(BaseModel):
    msg: str
