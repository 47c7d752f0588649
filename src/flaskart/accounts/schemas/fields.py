"""Fields that several schemas of accounts share."""

import unicodedata
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from flaskart.accounts.models import (
    MAX_EMAIL,
    MAX_USERNAME,
    fold,
)
from flaskart.accounts.passwords import MAX_LENGTH, MIN_LENGTH, is_common
from flaskart.web.fields import Line, NoControls


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


def _uncommon(password: str) -> str:
    if is_common(password):
        raise PydanticCustomError("common_password", "This password is one of those that are tried first")
    return password


Username = Annotated[Line, Field(max_length=MAX_USERNAME, examples=["alice"]), AfterValidator(_username), NoControls]
EmailAddress = Annotated[
    str,
    Field(max_length=MAX_EMAIL),
    AfterValidator(_email),
    WithJsonSchema({"type": "string", "format": "email", "maxLength": MAX_EMAIL, "examples": ["alice@example.com"]}),
]
Password = Annotated[str, StringConstraints(min_length=1, max_length=1_024)]
NewPassword = Annotated[
    str,
    StringConstraints(min_length=MIN_LENGTH, max_length=MAX_LENGTH),
    AfterValidator(_uncommon),
    Field(examples=["correct horse"]),
]
Code = Annotated[
    str,
    StringConstraints(min_length=6, max_length=32),
    Field(description="Six digits of the authenticator app, or a recovery code.", examples=["492039"]),
]
Token = Annotated[str, StringConstraints(min_length=1, max_length=512)]
