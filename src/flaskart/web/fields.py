"""The kinds of values that public JSON is made of."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
    field_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from flaskart.kit.paging import DEFAULT_LIMIT, MAX_LIMIT, Page

# C0 controls and DEL, but for tab, line feed and carriage return. PostgreSQL cannot store NUL.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
MAX_CURSOR = 64


def _without_controls(text: str) -> str:
    if _CONTROLS.search(text):
        raise PydanticCustomError("control_character", "Control characters are not allowed")
    return text


def _exact_number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise PydanticCustomError("number_type", "Input should be a number")
    return Decimal(value)


def _whole_number(text: Any) -> Any:
    if isinstance(text, str) and not (text.isascii() and text.isdigit()):
        raise PydanticCustomError("int_parsing", "Input should be a whole number")
    return text


def _moment(text: Any) -> datetime:
    if not isinstance(text, str) or not _RFC_3339.fullmatch(text):
        raise PydanticCustomError("datetime_parsing", "Input should be a time like 2026-03-01T12:00:00Z")
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError("datetime_parsing", "There is no such time") from None


class Input(BaseModel):
    """A request's body: nothing is converted, nothing unknown is accepted."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Change(Input):
    """A request's body that changes what it gives and leaves the rest; null is not a way of leaving something out."""

    @field_validator("*", mode="before")
    @classmethod
    def _not_null(cls, value: Any) -> Any:
        if value is None:
            raise PydanticCustomError("null", "Leave it out to leave it as it is")
        return value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler.resolve_ref_schema(handler(core))
        for name, member in schema["properties"].items():
            kinds = [kind for kind in member.get("anyOf", ()) if kind != {"type": "null"}]
            if len(kinds) == 1:
                schema["properties"][name] = kinds[0] | {"title": member["title"]}
        return schema


class Query(BaseModel):
    """A request's query string: nothing unknown is accepted."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    @cache
    def model_json_schema(cls, *args: Any, **options: Any) -> dict[str, Any]:  # type: ignore[override]
        """Return the schema, made once: flask-openapi asks for it with every request."""
        return super().model_json_schema(*args, **options)


WholeNumber = BeforeValidator(_whole_number)
# Put last: what comes after a validator is checked by Pydantic with another error.
NoControls = AfterValidator(_without_controls)
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, pattern=r"^[^\r\n\t]*$")]
Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-03-01T12:00:00Z"]}),
]
Amount = Annotated[
    Decimal,
    BeforeValidator(_exact_number),
    WithJsonSchema({"type": "number", "minimum": 0, "examples": [19.99]}),
]


class PageQuery(Query):
    limit: Annotated[
        int, BeforeValidator(_whole_number), Field(ge=1, le=MAX_LIMIT, description="How many rows a page has at most.")
    ] = DEFAULT_LIMIT
    after: Annotated[
        str | None,
        NoControls,
        Field(max_length=MAX_CURSOR, description="The cursor `pagination.next` of the page before."),
    ] = None


class Pagination(BaseModel):
    """`next` is the cursor to send as `after`; it is null on the last page."""

    next: str | None
    has_more: bool
    limit: int

    @classmethod
    def of(cls, page: Page[Any]) -> "Pagination":
        return cls(next=page.next, has_more=page.next is not None, limit=page.limit)
