"""R1: Flask views that return prebuilt bytes, one for each of the sizes that BENCH_SIZES names."""

import os
from collections.abc import Callable

from flask import Flask, Response


def wsgi() -> Flask:
    app = Flask(__name__)
    for size in os.environ["BENCH_SIZES"].split(","):
        app.add_url_rule(f"/{size}", size, _view(b"x" * int(size)))
    return app


def _view(body: bytes) -> Callable[[], Response]:
    def bare() -> Response:
        return Response(body, content_type="application/json")

    return bare
