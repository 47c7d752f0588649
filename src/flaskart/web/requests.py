"""What no operation accepts: query parameters that it does not know."""

from typing import get_type_hints

from flask import Flask, request

from flaskart.kit.errors import FieldError, InvalidInput


def register(app: Flask) -> None:
    """Check every request's query parameters. Call it after the routes are there."""
    known = {endpoint: _query_names(view) for endpoint, view in app.view_functions.items()}

    def refuse_unknown_parameters() -> None:
        unknown = [name for name in request.args if name not in known.get(request.endpoint or "", request.args)]
        if unknown:
            detail = "This operation has no such parameter"
            raise InvalidInput(errors=tuple(FieldError(f"?{name}", detail, "extra_forbidden") for name in unknown))

    app.before_request(refuse_unknown_parameters)


def _query_names(view: object) -> frozenset[str]:
    query = get_type_hints(view).get("query")
    return frozenset() if query is None else frozenset(query.model_fields)
