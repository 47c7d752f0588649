"""Pages and their cursors: what was not made by us is refused."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskart.kit.errors import FieldError, InvalidInput
from flaskart.kit.paging import MAX_ID, Page, decode_cursor, encode_cursor, page_of


def key(row: int) -> int:
    return row


def forged(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@given(last_id=st.integers(0, MAX_ID))
def test_a_cursor_stands_for_the_id_it_was_made_of(last_id: int) -> None:
    assert decode_cursor(encode_cursor(last_id)) == last_id


@given(last_id=st.integers(0, MAX_ID))
def test_a_cursor_needs_no_escaping_in_a_url(last_id: int) -> None:
    cursor = encode_cursor(last_id)

    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert len(cursor) <= 64


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "0",
        "17",
        "not a cursor",
        "é",
        "\0",
        "====",
        encode_cursor(17) + "=",
        encode_cursor(17) + "\n",
        forged(""),
        forged("abc"),
        forged("-1"),
        forged("+17"),
        forged(" 17"),
        forged("017"),
        forged("1_7"),
        forged("\u0661\u0667"),
        forged("1.7"),
        forged("NaN"),
        forged("17\0"),
        forged(str(MAX_ID + 1)),
        forged("9" * 5_000),
    ],
)
def test_a_forged_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        decode_cursor(cursor)

    assert refusal.value.errors == (FieldError("?after", "Not a cursor of this list", "invalid_cursor"),)


@given(cursor=st.text(max_size=64))
def test_a_text_is_a_cursor_of_one_id_or_refused(cursor: str) -> None:
    try:
        last_id = decode_cursor(cursor)
    except InvalidInput:
        return

    assert encode_cursor(last_id) == cursor


@pytest.mark.parametrize("rows", [[], [1], [1, 2]])
def test_rows_within_the_limit_are_the_last_page(rows: list[int]) -> None:
    assert page_of(rows, 2, key) == Page(rows, 2, None)


def test_a_surplus_row_is_not_shown_but_tells_that_there_is_more() -> None:
    assert page_of([3, 5, 8], 2, key) == Page([3, 5], 2, encode_cursor(5))
