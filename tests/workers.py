"""The shop's own worker, as `flaskart worker` builds it."""

from flaskart.kit.db import Database
from flaskart.mailing import create_mailer
from flaskart.settings import Settings
from flaskart.worker import Worker, create_worker


def shops_worker(db: Database) -> Worker:
    return create_worker(db, create_mailer(Settings(_env_file=None)))
