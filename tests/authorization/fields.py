"""Compares an answer with its documented schema, member by member."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.callers import Answer

Document = Mapping[str, Any]


def deviations(document: Document, route: str, answer: Answer) -> Iterator[str]:
    """Yield the members of a successful answer that are not documented, and those that are and are missing."""
    method, _, path = route.partition(" ")
    operation = document["paths"].get(path, {}).get(method.lower())
    if operation is not None and answer.status < 300:
        schema = operation["responses"][str(answer.status)]["content"]["application/json"]["schema"]
        yield from _compare(document, schema, answer.json, "")


def _compare(document: Document, schema: Document, value: Any, place: str) -> Iterator[str]:
    schema = _resolved(document, schema)
    if isinstance(value, Mapping):
        documented = schema.get("properties", {}).keys()
        is_open = bool(schema.get("additionalProperties"))
        for name in sorted(documented - value.keys() if is_open else documented ^ value.keys()):
            yield f"{place}/{name} is {'missing' if name in documented else 'not documented'}"
        for name in documented & value.keys():
            yield from _compare(document, schema["properties"][name], value[name], f"{place}/{name}")
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _compare(document, schema["items"], item, f"{place}/{number}")


def _resolved(document: Document, schema: Document) -> Document:
    """Follow references, and of alternatives take the one that is not null."""
    if "$ref" in schema:
        return _resolved(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    for alternative in schema.get("anyOf", ()):
        if alternative.get("type") != "null":
            return _resolved(document, alternative)
    return schema
