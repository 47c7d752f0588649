"""Jobs whose effects can be counted, and a worker that does them: `python -m tests.counting DATABASE_URL FOLDER`."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select, text

from flaskart.kit.db import Database, Session
from flaskart.kit.jobs import Handler, Job, Payload
from flaskart.worker import Worker, work_until_told_to_stop
from tests.processes import kill_family, wait_until
from tests.servers import ROOT, environment

LEASE = timedelta(seconds=1)
LONGEST_JOB_SECONDS = 0.02


def prepare(db: Database) -> None:
    """Make the table that the effects are in: it lets one happen twice."""
    with db.write() as session:
        session.execute(text("CREATE TABLE effect (number INTEGER NOT NULL)"))


def effects(db: Database) -> list[int]:
    with db.read() as session:
        return list(session.scalars(text("SELECT number FROM effect ORDER BY number")))


def jobs_left(db: Database) -> int:
    with db.read() as session:
        return session.scalars(select(func.count()).select_from(Job)).one()


def count(session: Session, payload: Payload) -> None:
    session.execute(text("INSERT INTO effect VALUES (:number)"), payload)


def count_slowly(session: Session, payload: Payload) -> None:
    count(session, payload)
    time.sleep(random.uniform(0, LONGEST_JOB_SECONDS))


def handlers(folder: Path) -> dict[str, Handler]:
    """Return jobs that also write to a folder: `told` has a line for each time that something was told outside."""

    def tell(db: Database, payload: Payload) -> None:
        with (folder / "told").open("a") as told:
            told.write(f"{payload['number']}\n")

    def count_and_die(session: Session, payload: Payload) -> None:
        count(session, payload)
        _die_the_first_time(folder)

    def tell_and_die(db: Database, payload: Payload) -> None:
        tell(db, payload)
        _die_the_first_time(folder)

    def wait(db: Database, payload: Payload) -> None:
        (folder / "begun").touch()
        wait_until((folder / "go on").exists)
        tell(db, payload)

    named: dict[str, Handler] = {"count": count_slowly, "tell": tell, "wait": wait}
    return named | {"count and die": count_and_die, "tell and die": tell_and_die}


def told_in(folder: Path) -> list[int]:
    """Return the numbers that were told outside, in their order."""
    return sorted(int(line) for line in (folder / "told").read_text().splitlines())


@contextmanager
def working(database_url: str, folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a worker process until the block ends."""
    process = start(database_url, folder)
    try:
        yield process
    finally:
        kill_family(process.pid)
        process.wait()


def start(database_url: str, folder: Path) -> "subprocess.Popen[bytes]":
    """Start a worker process; ending it is the caller's."""
    command = [sys.executable, "-m", "tests.counting", database_url, str(folder)]
    return subprocess.Popen(command, cwd=ROOT, env=environment(database_url))


def _die_the_first_time(folder: Path) -> None:
    with suppress(FileExistsError):
        (folder / "died").touch(exist_ok=False)
        os.kill(os.getpid(), signal.SIGKILL)


def main(arguments: Sequence[str]) -> None:
    database_url, folder = arguments
    work_until_told_to_stop(Worker(Database(database_url), handlers(Path(folder)), lease=LEASE))


if __name__ == "__main__":
    main(sys.argv[1:])
