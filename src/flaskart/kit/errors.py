"""How a request can fail: one root, a family for each kind of refusal, and the failures every room shares."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One bad field: `pointer` is an RFC 6901 JSON pointer into the body, or `?name` for a query parameter."""

    pointer: str
    detail: str
    code: str


# Members of every answer (RFC 9457, section 3.1, and our own): no fact may have their names.
RESERVED = frozenset({"type", "title", "status", "detail", "instance", "code", "msg", "errors"})


class ShopError(Exception):
    """An expected failure. `facts` become members of the answer, so that a client acts without parsing prose."""

    status: ClassVar[int]
    code: ClassVar[str]
    message: ClassVar[str]
    pointer: ClassVar[str | None] = None

    def __init__(self, detail: str | None = None, *, errors: tuple[FieldError, ...] = (), **facts: object) -> None:
        super().__init__(detail or self.message)
        self.detail = detail or self.message
        if not RESERVED.isdisjoint(facts):
            raise TypeError(f"reserved as a fact: {sorted(RESERVED & facts.keys())}")
        self.facts = facts
        if not errors and self.pointer is not None:
            errors = (FieldError(self.pointer, self.detail, self.code),)
        self.errors = errors


class OperatorError(Exception):
    """What stops a command: one line for whoever runs the shop, without passwords."""


class BadRequest(ShopError):
    status = 400


class Unauthenticated(ShopError):
    status = 401
    code = "unauthenticated"
    message = "Sign in to do this"


class Forbidden(ShopError):
    status = 403
    code = "forbidden"
    message = "Your account may not do this"


class NotFound(ShopError):
    status = 404


class Conflict(ShopError):
    status = 409


class InvalidInput(ShopError):
    status = 422
    code = "invalid_input"
    message = "Some fields are not valid"


class TooMany(ShopError):
    """Give `retry_after_seconds` as a fact; it becomes the header, too."""

    status = 429


class BadGateway(ShopError):
    """Somebody the shop had to ask has failed; the reason, its cause, is for the log."""

    status = 502


class Unavailable(ShopError):
    status = 503


class DatabaseBusy(Unavailable):
    code = "database_busy"
    message = "The shop is busy; try again in a moment"


class DatabaseUnavailable(Unavailable):
    code = "database_unavailable"
    message = "The shop cannot reach its database; try again later"


class OutcomeUnknown(Unavailable):
    code = "outcome_unknown"
    message = "The database was lost while this was being saved; look whether it was done before you repeat it"
