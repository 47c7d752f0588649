"""What no operation accepts: a parameter it does not know, one given twice, or a body where it takes none."""

from collections.abc import Iterator
from typing import get_type_hints

from flask import Flask, request

from flaskart.kit.errors import FieldError, InvalidInput
from flaskart.web.http import incoming
from flaskart.web.problems import pointer


def register(app: Flask) -> None:
    """Check every request for what its operation does not take. Call it after the routes are there."""
    known = {endpoint: _query_names(view) for endpoint, view in app.view_functions.items()}
    bodiless = {endpoint for endpoint, view in app.view_functions.items() if "body" not in get_type_hints(view)}

    def refuse_surplus() -> None:
        if request.endpoint is None:
            return
        errors = [*_bad_parameters(known[request.endpoint])]
        if request.endpoint in bodiless and request.method not in ("GET", "HEAD", "OPTIONS"):
            errors += _surplus_members(incoming().parsed_body)
        if errors:
            raise InvalidInput(errors=tuple(errors))

    app.before_request(refuse_surplus)


def _bad_parameters(known: frozenset[str]) -> Iterator[FieldError]:
    for name, values in request.args.lists():
        if name not in known:
            yield FieldError(f"?{name}", "This operation has no such parameter", "extra_forbidden")
        elif len(values) > 1:
            yield FieldError(f"?{name}", "Give it once", "repeated")


def _surplus_members(body: object) -> list[FieldError]:
    if not isinstance(body, dict):
        return [FieldError("", "Input should be an object", "model_type")]
    return [FieldError(pointer([name]), "Extra inputs are not permitted", "extra_forbidden") for name in body]


def _query_names(view: object) -> frozenset[str]:
    query = get_type_hints(view).get("query")
    return frozenset() if query is None else frozenset(query.model_fields)
