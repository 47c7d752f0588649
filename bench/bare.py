"""R1, the reference line: a Flask view that returns prebuilt bytes, of the size that BENCH_BYTES says."""

import os

from flask import Flask, Response


def wsgi() -> Flask:
    app = Flask(__name__)
    body = b"x" * int(os.environ["BENCH_BYTES"])

    @app.get("/")
    def bare() -> Response:
        return Response(body, content_type="application/json")

    return app
