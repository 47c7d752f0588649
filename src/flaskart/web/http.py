"""What comes in and what goes out: strict JSON requests, exact JSON answers, and the shop behind them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast
from urllib.parse import urlencode

from flask import Flask, Request, Response, current_app, g, request
from pydantic import BaseModel
from werkzeug.routing import IntegerConverter

from flaskart.kit.actor import Actor, PresentedKey
from flaskart.kit.db import Database, Session
from flaskart.kit.errors import BadRequest, FieldError, InvalidInput, ShopError
from flaskart.kit.ids import random_uuid
from flaskart.kit.paging import MAX_ID, Page
from flaskart.kit.seals import Seals
from flaskart.kit.slots import Slots
from flaskart.settings import Settings
from flaskart.web.json import MalformedJson, decode, encode
from flaskart.web.kept import REQUEST_ID, KeptAnswers
from flaskart.web.limits import Attempts
from flaskart.web.tokens import AccessTokens

KEY = "flaskart"


class JsonMalformed(BadRequest):
    code = "malformed_json"
    message = "The body is not valid JSON"


class BodyTooLarge(ShopError):
    status = 413
    code = "body_too_large"
    message = "The body is larger than this shop accepts"


class BodyNotJson(ShopError):
    status = 415
    code = "body_not_json"
    message = "The body must be sent as application/json"


@dataclass(frozen=True, slots=True)
class Shop:
    """What one app is made of.

    `find_actor` tells whose a sign-in is, as long as it lives, and `find_key` who acts with an API key, whose use is
    noted by `note_use`; `revision` is the schema this version works with; `hashing` bounds how many passwords are
    hashed at once; `attempts` is None where nothing is limited.
    """

    settings: Settings
    secret: bytes
    old_secrets: tuple[bytes, ...]
    seals: Seals
    hashing: Slots
    db: Database
    tokens: AccessTokens
    find_actor: Callable[[Session, int, str], Actor | None]
    find_key: Callable[[Session, str], PresentedKey | None]
    note_use: Callable[[Session, int], None]
    revision: str
    kept: KeptAnswers
    attempts: Attempts | None


def shop() -> Shop:
    return cast("Shop", current_app.extensions[KEY])


def db() -> Database:
    return shop().db


def incoming() -> "ShopRequest":
    return cast("ShopRequest", request)


class ShopRequest(Request):
    """A request whose body is read once, whole, and never past the limit."""

    @cached_property
    def body(self) -> bytes:
        """The body's bytes.

        Raises:
            BodyTooLarge: it is larger than the limit.
        """
        limit = shop().settings.max_body_bytes
        if self.content_length is not None and self.content_length > limit:
            raise BodyTooLarge(limit_bytes=limit)
        data = self.stream.read(limit + 1)  # one byte more: a chunked body does not tell its length
        if len(data) > limit:
            raise BodyTooLarge(limit_bytes=limit)
        return data

    @cached_property
    def parsed_body(self) -> Any:
        """The body as JSON; an empty one is an empty object, so that each missing field is named.

        Raises:
            BodyNotJson: sent as something else.
            JsonMalformed: not JSON.
        """
        if not self.body:
            return {}
        if not self.is_json:
            raise BodyNotJson
        try:
            return decode(self.body)
        except MalformedJson as malformed:
            raise JsonMalformed(f"{JsonMalformed.message}: {malformed}") from malformed

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:  # noqa: ARG002
        """Flask's name for `parsed_body`; flask-openapi calls it, and would take silence for an empty body."""
        parsed = self.parsed_body
        if isinstance(parsed, str):
            # flask-openapi parses a string as JSON a second time.
            raise InvalidInput(errors=(FieldError("", "Input should be an object", "model_type"),))
        return parsed


class IdConverter(IntegerConverter):
    """A row's id in a path; a number no row can have becomes 0, so that it is not found like any other."""

    def to_python(self, value: str) -> int:
        return int(value) if len(value) <= len(str(MAX_ID)) and int(value) <= MAX_ID else 0


def register(app: Flask) -> None:
    app.before_request(_start)
    app.after_request(_finish)


def show(
    model: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None, *, about: int | None = None
) -> Response:
    """Answer with a model; under an `Idempotency-Key` the answer is kept in the transaction that is open.

    `about` is the customer of whom it tells somebody else: it is forgotten when that customer is erased.
    """
    body = encode(model)
    claim = g.get("claim")
    if claim is not None:
        claim.keep(status, body, about)
        g.claim = None
    return Response(body, status, headers, content_type="application/json")


def show_page(model: BaseModel, page: Page[Any]) -> Response:
    """Answer with a page of a list and, where there is a next one, a link to it (RFC 8288)."""
    response = show(model)
    if page.next is not None:
        query = request.args.to_dict() | {"limit": page.limit, "after": page.next}
        response.headers["Link"] = f'<{request.base_url}?{urlencode(query)}>; rel="next"'
    return response


def _start() -> None:
    g.request_id = random_uuid()
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        incoming().body  # noqa: B018 - read now: one that is too large is refused before anything else is looked at


def _finish(response: Response) -> Response:
    response.headers[REQUEST_ID] = g.request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")
    return response
