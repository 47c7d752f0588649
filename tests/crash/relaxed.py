"""The shop with SQLite syncing less than it should, which the tests of power cuts must be able to notice."""

import os
from typing import Any

from flask import Flask
from sqlalchemy import event

from flaskart.app import wsgi as durable_wsgi
from flaskart.web.http import KEY


def wsgi() -> Flask:
    app = durable_wsgi()
    event.listen(app.extensions[KEY].db.engine, "connect", _relax)
    return app


def _relax(connection: Any, _entry: object) -> None:
    connection.execute(f"PRAGMA synchronous={os.environ['POWER_SYNCHRONOUS']}")
