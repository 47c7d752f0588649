"""Every failure as `application/problem+json` (RFC 9457)."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import cast

from flask import Flask, Response, current_app, g, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException

from flaskart.kit.errors import FieldError, InvalidInput, ShopError
from flaskart.web.json import encode

PROBLEM_JSON = "application/problem+json"
RETRY_AFTER_SECONDS = 1


class FieldProblem(BaseModel):
    pointer: str
    detail: str
    code: str


class Problem(BaseModel, extra="allow"):
    """An error: `code` is for programs, `detail` (also as `msg`) for people; facts of the error stand beside them."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    msg: str
    errors: list[FieldProblem] | None = None


def register(app: Flask) -> None:
    app.register_error_handler(ShopError, answer_shop_error)
    app.register_error_handler(HTTPException, answer_http_exception)
    app.register_error_handler(Exception, answer_bug)


def answer_shop_error(error: ShopError) -> Response:
    response = _response(problem_body(error))
    if error.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    if error.status == HTTPStatus.BAD_GATEWAY:
        current_app.logger.error("%s in request %s: %s", error.code, g.request_id, error.__cause__)
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        # The caller learns that it may come back; why is for whoever runs the shop.
        current_app.logger.error("%s in request %s", error.code, g.request_id, exc_info=error.__cause__)
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if "retry_after_seconds" in error.facts:
        response.headers["Retry-After"] = str(error.facts["retry_after_seconds"])
    return response


def answer_http_exception(error: HTTPException) -> Response:
    """Render what Flask and Werkzeug refuse: no such route, wrong method, and the like; redirects pass unchanged."""
    original = error.get_response(request.environ)
    if error.code is None or error.code < HTTPStatus.BAD_REQUEST:
        return Response(original.get_data(), original.status_code, original.headers)
    status = HTTPStatus(error.code)
    response = _response(_members(status, status.name.lower(), status.phrase))
    if "Allow" in original.headers:
        response.headers["Allow"] = original.headers["Allow"]
    return response


def answer_bug(error: Exception) -> Response:
    """Answer 500 without internals; the log has the traceback under the request's id."""
    current_app.logger.error("unexpected failure in request %s", g.request_id, exc_info=error)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return _response(_members(status, "internal_error", "Something went wrong on our side"))


def refuse_fields(invalid: ValidationError) -> Response:
    """Render Pydantic's errors of a request: all bad fields at once."""
    errors = tuple(
        FieldError(_place(error["loc"]), error["msg"], error["type"])
        for error in invalid.errors(include_url=False, include_input=False, include_context=False)
    )
    return answer_shop_error(InvalidInput(errors=errors))


def problem_body(error: ShopError) -> dict[str, object]:
    body = _members(HTTPStatus(error.status), error.code, error.detail)
    if error.errors:
        body["errors"] = error.errors
    return body | error.facts


def _members(status: HTTPStatus, code: str, detail: str) -> dict[str, object]:
    kind = f"urn:flaskart:problem:{code}"
    return {"type": kind, "title": status.phrase, "status": int(status), "detail": detail, "code": code, "msg": detail}


def _response(body: dict[str, object]) -> Response:
    return Response(encode(body), cast("int", body["status"]), content_type=PROBLEM_JSON)


def pointer(location: Iterable[int | str]) -> str:
    """Return the JSON pointer (RFC 6901) to a member."""
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in location)
    return "".join(f"/{part}" for part in parts)


def _place(location: tuple[int | str, ...]) -> str:
    return f"?{location[0]}" if request.method in ("GET", "HEAD") else pointer(location)
