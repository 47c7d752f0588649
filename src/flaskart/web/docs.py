"""The OpenAPI document and its interactive pages, all from local files."""

from pathlib import Path

import flask_openapi_swagger
from flask import Blueprint, Response, request, send_from_directory

from flaskart.web.auth import anyone
from flaskart.web.json import encode
from flaskart.web.openapi import openapi_document

SWAGGER = Path(flask_openapi_swagger.__file__).parent / "templates" / "swagger"
OWN = Path(__file__).parent / "static"
# Swagger UI sets style attributes and shows inline pictures; nothing comes from elsewhere.
POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"

pages = Blueprint("docs", __name__)


@pages.get("/openapi.json")
@anyone
def openapi_json() -> Response:
    response = Response(encode(openapi_document()), content_type="application/json")
    response.add_etag()
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return response


@pages.get("/docs")
@anyone
def docs() -> Response:
    response = send_from_directory(OWN, "docs.html")
    response.headers["Content-Security-Policy"] = POLICY
    return response


@pages.get("/docs/own/<path:name>")
@anyone
def own_asset(name: str) -> Response:
    return send_from_directory(OWN, name)


@pages.get("/docs/swagger/<path:name>")
@anyone
def swagger_asset(name: str) -> Response:
    return send_from_directory(SWAGGER, name)
