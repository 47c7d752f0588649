"""JSON as the API speaks it: exact numbers, RFC 3339 times, no NaN."""

from decimal import MAX_PREC, Context, Decimal, InvalidOperation
from typing import Any

import msgspec
from flask.json.provider import JSONProvider
from pydantic import BaseModel

_unrounded = Context(prec=MAX_PREC)
MAX_DIGITS = 30  # a whole number longer than that is compared as it was written


def _members(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.__dict__
    raise NotImplementedError(f"{type(value).__name__} has no JSON")


_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=_members)
_canonical = msgspec.json.Encoder(decimal_format="number", order="sorted")
_decoder = msgspec.json.Decoder(float_hook=Decimal)


class MalformedJson(ValueError):
    pass


def encode(value: object) -> bytes:
    return _encoder.encode(value)


def encode_canonical(value: object) -> bytes:
    """Encode with sorted members and numbers in one spelling, so that equal values have equal bytes."""
    return _canonical.encode(_in_one_spelling(value))


def _in_one_spelling(value: object) -> object:
    if isinstance(value, dict):
        return {name: _in_one_spelling(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_in_one_spelling(member) for member in value]
    if not isinstance(value, Decimal):
        return value
    is_whole = value.adjusted() < MAX_DIGITS and value == value.to_integral_value()
    return int(value) if is_whole else value.normalize(_unrounded)  # 35.0 is 35, 2e1 is 20, 0.50 is 0.5


def decode(data: bytes | str) -> Any:
    """Decode strictly by RFC 8259; fractions become `Decimal`, so that no amount is rounded on its way in.

    Raises:
        MalformedJson: not JSON, not UTF-8, nested too deeply, or a number past all measure (`1e99999999999999999999`).
    """
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, InvalidOperation) as malformed:
        raise MalformedJson(str(malformed)) from malformed


class ExactJson(JSONProvider):
    """Flask's own hooks (`jsonify`, the test client) speak the same JSON."""

    def dumps(self, obj: Any, **_kwargs: Any) -> str:
        return encode(obj).decode()

    def loads(self, s: str | bytes, **_kwargs: Any) -> Any:
        return decode(s)
