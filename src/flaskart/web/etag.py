"""Entity tags (RFC 9110, section 8.8.3): no body for what the caller has, no edit of what the caller has not seen."""

import hashlib

from flask import Response, request
from pydantic import BaseModel

from flaskart.kit.errors import ShopError
from flaskart.web.json import encode


class PreconditionFailed(ShopError):
    status = 412
    code = "precondition_failed"
    message = "It was changed since you read it; read it again"


def tagged(response: Response) -> Response:
    """Give an answer its ETag."""
    response.set_etag(_tag(response.get_data()))
    response.headers["Cache-Control"] = "no-cache"  # may be kept, but must be asked about
    return response


def unless_known(response: Response) -> Response:
    """Make a tagged answer 304 without a body when `If-None-Match` names it."""
    if "If-None-Match" in request.headers:
        response.make_conditional(request)
    return response


def require_match(model: BaseModel) -> None:
    """Check `If-Match`, if the request has one, against the answer a GET would give now.

    Raises:
        PreconditionFailed: the caller has read another state.
    """
    if "If-Match" in request.headers and not request.if_match.contains(_tag(encode(model))):
        raise PreconditionFailed


def _tag(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]
