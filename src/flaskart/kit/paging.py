"""Keyset paging: a page is found by the last key of the page before it, never by counting rows."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from flaskart.kit.errors import FieldError, InvalidInput

Row = TypeVar("Row")
DEFAULT_LIMIT = 20
MAX_LIMIT = 100
MAX_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Up to `limit` rows. `next` is the cursor of the following page, None on the last one."""

    rows: Sequence[Row]
    limit: int
    next: str | None


def page_of(rows: Sequence[Row], limit: int, key: Callable[[Row], int]) -> Page[Row]:
    """Make a page from at most `limit + 1` rows; the surplus row only tells that there is more."""
    if len(rows) <= limit:
        return Page(rows, limit, None)
    shown = rows[:limit]
    return Page(shown, limit, encode_cursor(key(shown[-1])))


def encode_cursor(last_id: int) -> str:
    return base64.urlsafe_b64encode(str(last_id).encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> int:
    """Return the id a cursor stands for.

    Raises:
        InvalidInput: not a cursor that `encode_cursor` made.
    """
    try:
        last_id = int(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        last_id = -1
    if not 0 <= last_id <= MAX_ID or encode_cursor(last_id) != cursor:
        raise InvalidInput(errors=(FieldError("?after", "Not a cursor of this list", "invalid_cursor"),))
    return last_id
