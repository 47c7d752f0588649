"""The OpenAPI document: what flask-openapi collects, completed with what every operation shares."""

import re
from collections.abc import Iterator
from functools import cached_property
from http import HTTPStatus
from typing import Any, cast

from flask import Flask, Request, current_app, request
from flask.sessions import NullSession, SessionInterface
from flask.typing import ResponseReturnValue
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag
from flask_openapi.openapi import OpenAPI
from flask_openapi.types import ResponseDict
from pydantic import BaseModel

from flaskart.kit.actor import OF_EVERYONE, OF_KEYS, Permission
from flaskart.kit.errors import (
    DatabaseBusy,
    DatabaseUnavailable,
    Forbidden,
    InvalidInput,
    OutcomeUnknown,
    ShopError,
    Unauthenticated,
)
from flaskart.web.auth import ANYONE, Access, OperationNotAllowed, SecondFactorNotEnrolled, access_of
from flaskart.web.http import BodyNotJson, BodyTooLarge, JsonMalformed, ShopRequest, db
from flaskart.web.idempotency import (
    HEADER,
    MAX_KEY_LENGTH,
    IdempotencyKeyMalformed,
    IdempotencyKeyReused,
    RequestInFlight,
)
from flaskart.web.json import ExactJson
from flaskart.web.limits import TooManyRequests
from flaskart.web.problems import PROBLEM_JSON, problem_body
from flaskart.web.tokens import InvalidToken

SECURITY_SCHEMES: dict[str, Any] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The access token of a sign-in.",
    },
    "key": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "flk_live_…",
        "description": "An API key, sent like an access token. It acts for the member of staff who made it.",
    },
}
# Put on an operation that hands out secrets: their answers are never stored, so a key would have no effect.
WITHOUT_IDEMPOTENCY = {"x-idempotency-key": "ignored"}
# Put on an operation whose answer has an ETag.
TAGGED = {"x-etag": True}
# Put on an operation that does not ask the database, so that no failure of it can be the answer.
WITHOUT_DATABASE = {"x-without-database": True}
Document = dict[str, Any]


def door(name: str, module: str, prefix: str, tag: str, meaning: str) -> APIBlueprint:
    """Make a room's door: its operations are called by their functions' names and shown under one tag."""
    tags: list[Tag | dict[str, Any]] = [Tag(name=tag, description=meaning)]
    return APIBlueprint(name, module, url_prefix=prefix, abp_tags=tags, operation_id_callback=_operation_id)


def answers(model: type[BaseModel], *errors: type[ShopError], status: int = 200) -> ResponseDict:
    """Describe an operation's answers: its success, and the errors that are its own."""
    described: ResponseDict = {str(status): model}
    described.update(_problems(errors))
    return described


def operation_ids() -> frozenset[str]:
    """Return the names of all operations of the current app."""
    paths = openapi_document()["paths"].values()
    return frozenset(operation["operationId"] for item in paths for operation in item.values())


def openapi_document() -> Document:
    """Return the OpenAPI 3.1 document of the current app."""
    return cast("ShopApp", current_app).document


class NoCookies(SessionInterface):
    """The API keeps nothing in cookies; Flask would make an empty session for every request to say so."""

    _none = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:  # noqa: ARG002
        return self._none


class ShopApp(OpenAPI):
    """Flask with flask-openapi, mended where it assumes one blueprint a path or its own shape of errors."""

    request_class = ShopRequest
    json_provider_class = ExactJson
    session_interface = NoCookies()

    def register_api(self, api: APIBlueprint, **options: Any) -> None:
        """Register a door; where two doors share a path (the shopper's and the staff's), both are documented."""
        shared = {path: self.paths[path] for path in api.paths if path in self.paths}
        super().register_api(api, **options)
        for path, item in shared.items():
            self.paths[path] = item.model_copy(update={m: op for m, op in api.paths[path] if op is not None})

    def dispatch_request(self) -> ResponseReturnValue:
        """Run the view, again when its transaction lost; an `Idempotency-Key` makes a lost COMMIT repeatable, too."""
        return db().retrying(super().dispatch_request, is_repeatable=HEADER in request.headers)

    @cached_property
    def document(self) -> Document:
        """The OpenAPI 3.1 document of all registered routes."""
        self.openapi_version = "3.1.0"  # flask-openapi would say 3.2, which few tools read
        document: Document = self.api_doc
        document["components"]["schemas"] = dict(sorted(document["components"]["schemas"].items()))
        for operation, access, method in _operations(self, document):
            _complete(operation, access, method)
            _say_whether_a_body_is_needed(operation, document["components"]["schemas"])
        return document


def _operation_id(*, name: str, **_unused: str) -> str:
    return name


def _operations(app: Flask, document: Document) -> Iterator[tuple[Document, Access, str]]:
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:[^<:]+:)?([^>]+)>", r"{\1}", rule.rule)
        for method in rule.methods or ():
            operation = document["paths"].get(path, {}).get(method.lower())
            if operation is not None:
                yield operation, access_of(app.view_functions[rule.endpoint]), method


def _complete(operation: Document, access: Access, method: str) -> None:
    if "description" in operation:
        operation["description"] = operation["description"].replace("<br/>", "\n").strip()
    if access != ANYONE:
        _say_who_may(operation, access)
    responses = operation["responses"]
    if PROBLEM_JSON not in responses.get("422", {}).get("content", {}):
        responses.pop("422", None)  # flask-openapi describes 422 in a shape of its own
    for status, shared in _problems(_shared_errors(operation, access, method)).items():
        examples = shared["content"][PROBLEM_JSON]["examples"]
        responses.setdefault(status, shared)["content"][PROBLEM_JSON]["examples"].update(examples)
    if operation.get("x-etag"):
        responses["304"] = {"description": "What one has is still true"}
    operation["responses"] = dict(sorted(responses.items()))
    parameters = operation.get("parameters", []) + _header_parameters(operation, method)
    if parameters:
        operation["parameters"] = parameters


def _say_who_may(operation: Document, permission: Permission) -> None:
    """Name the permission: for programs as the role that OpenAPI lets any scheme require, and for people."""
    schemes = ("bearer", "key") if permission in OF_KEYS else ("bearer",)
    operation["security"] = [{scheme: [permission.value]} for scheme in schemes]
    operation["x-permission"] = permission.value
    needed = f"Needs the permission `{permission}`."
    if permission not in OF_EVERYONE:
        operation["description"] = "\n\n".join(filter(None, [operation.get("description"), needed]))


def _say_whether_a_body_is_needed(operation: Document, schemas: Document) -> None:
    """An empty body is an empty object, which is enough where no member is required."""
    if "requestBody" in operation:
        reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        operation["requestBody"]["required"] = "required" in schemas[reference.rpartition("/")[2]]


def _shared_errors(operation: Document, access: Access, method: str) -> list[type[ShopError]]:
    """Return the errors that come from what kind of operation it is, not from what it does."""
    errors: list[type[ShopError]] = [InvalidInput, TooManyRequests]
    if not operation.get("x-without-database"):
        errors += [DatabaseBusy, DatabaseUnavailable]
    if method != "GET":
        errors += [OutcomeUnknown]
    if access != ANYONE:
        errors += [Unauthenticated, InvalidToken, Forbidden, SecondFactorNotEnrolled]
    if access in OF_KEYS:
        errors += [OperationNotAllowed]
    if method != "GET":
        errors += [BodyTooLarge]
    if _takes_idempotency_key(operation, method):
        errors += [IdempotencyKeyMalformed, IdempotencyKeyReused, RequestInFlight]
    if "requestBody" in operation or _takes_idempotency_key(operation, method):
        errors += [JsonMalformed, BodyNotJson]  # a key's fingerprint covers a body even where none is asked for
    return errors


def _header_parameters(operation: Document, method: str) -> list[Document]:
    parameters = []
    if _takes_idempotency_key(operation, method):
        meaning = "Makes a retry safe: for 48 hours the same request under the same key is answered as before."
        bounds = {"minLength": 1, "maxLength": MAX_KEY_LENGTH, "pattern": "^[ -~]+$"}
        parameters.append(_header_parameter(HEADER, meaning, bounds))
    if operation.get("x-etag"):
        parameters.append(_header_parameter("If-None-Match", "The ETag of what one has.", {}))
    if "412" in operation["responses"]:
        parameters.append(_header_parameter("If-Match", "Do it only if this is still the ETag.", {}))
    return parameters


def _header_parameter(name: str, meaning: str, bounds: Document) -> Document:
    schema = {"type": "string"} | bounds
    return {"name": name, "in": "header", "required": False, "description": meaning, "schema": schema}


def _takes_idempotency_key(operation: Document, method: str) -> bool:
    return method != "GET" and operation.get("x-idempotency-key") != "ignored"


def _problems(errors: tuple[type[ShopError], ...] | list[type[ShopError]]) -> Document:
    described: Document = {}
    for error in errors:
        response = described.setdefault(str(error.status), _problem_response(error.status))
        response["content"][PROBLEM_JSON]["examples"][error.code] = {
            "summary": error.message,
            "value": problem_body(error()),
        }
    return described


def _problem_response(status: int) -> Document:
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}
    response: Document = {"description": HTTPStatus(status).phrase, "content": {PROBLEM_JSON: content}}
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        meaning = "In how many seconds to come back."
        response["headers"] = {"Retry-After": {"description": meaning, "schema": {"type": "integer", "minimum": 1}}}
    return response
