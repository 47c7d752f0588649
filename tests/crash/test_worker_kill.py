"""Workers are killed at random moments: what they were to do happens all the same, and is done once."""

import random
import signal
import subprocess
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import select

from flaskart.kit.db import Database
from flaskart.kit.jobs import Job, enqueue
from tests.counting import LONGEST_JOB_SECONDS, effects, jobs_left, prepare, start, told_in, working
from tests.processes import kill_family, wait_until

WORKERS = 2
KILLS, JOBS = 4, 150
SOAK_KILLS, SOAK_JOBS = 50, 1_000


class Crew:
    """Worker processes, of which one that is killed is replaced."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self._database_url = database_url
        self._folder = folder
        self._processes = {process.pid: process for process in self._started(WORKERS)}

    def at_work(self, db: Database) -> list[int]:
        """Return the living workers that hold a job."""
        return [pid for pid in holders(db) if pid in self._processes]

    def wait_for_jobs(self, db: Database, *, done: int, of: int) -> None:
        """Wait until so many jobs are done, and somebody is at work on another one."""
        wait_until(lambda: jobs_left(db) <= of - done and bool(self.at_work(db)))

    def anyone(self) -> int:
        return random.choice(list(self._processes))

    def replace(self, pid: int) -> None:
        self._end(pid)
        self._processes |= {process.pid: process for process in self._started(1)}

    def end(self) -> None:
        for pid in list(self._processes):
            self._end(pid)

    def _started(self, number: int) -> "list[subprocess.Popen[bytes]]":
        return [start(self._database_url, self._folder) for _ in range(number)]

    def _end(self, pid: int) -> None:
        kill_family(pid)
        self._processes.pop(pid).wait()


def holders(db: Database) -> list[int]:
    """Return the processes that hold a job, dead ones among them, by the names under which they hold it."""
    with db.read() as session:
        names = session.scalars(select(Job.leased_by).where(Job.leased_by.is_not(None))).all()
    return [int(str(name).split(":")[1]) for name in names]


def test_each_effect_happens_once_however_workers_are_killed(
    database_url: str, db: Database, tmp_path: Path, is_soak: bool
) -> None:
    kills, jobs = (SOAK_KILLS, SOAK_JOBS) if is_soak else (KILLS, JOBS)
    prepare(db)
    with db.write() as session:
        for number in range(jobs):
            enqueue(session, "tell" if number % 5 == 0 else "count", {"number": number})
    crew = Crew(database_url, tmp_path)
    interrupted = 0

    with ExitStack() as ending:
        ending.callback(crew.end)
        for moment in sorted(random.sample(range(jobs - jobs // 10), kills)):
            crew.wait_for_jobs(db, done=moment, of=jobs)
            time.sleep(random.uniform(0, LONGEST_JOB_SECONDS))  # anywhere in the doing of a job
            [victim, *_] = crew.at_work(db) or [crew.anyone()]
            crew.replace(victim)
            interrupted += victim in holders(db)
        wait_until(lambda: jobs_left(db) == 0)

    assert effects(db) == [number for number in range(jobs) if number % 5]
    assert set(told_in(tmp_path)) == {number for number in range(jobs) if number % 5 == 0}
    assert interrupted > 0


@pytest.mark.parametrize(("name", "times"), [("count and die", 1), ("tell and die", 2)])
def test_a_worker_that_dies_between_the_effect_and_its_end_undoes_what_is_in_the_database(
    database_url: str, db: Database, tmp_path: Path, name: str, times: int
) -> None:
    """What is outside happens again, and has to bear it: nobody can tell whether it was done."""
    prepare(db)
    with db.write() as session:
        enqueue(session, name, {"number": 7})

    with working(database_url, tmp_path) as first:
        assert first.wait() == -signal.SIGKILL
    with working(database_url, tmp_path):
        wait_until(lambda: jobs_left(db) == 0)

    done = effects(db) if name == "count and die" else told_in(tmp_path)
    assert Counter(done) == {7: times}
