"""The worker: claims a job, runs it, tries it again later, parks what keeps failing."""

import logging
import os
import random
import re
import secrets
import signal
import socket
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from inspect import signature
from threading import Event, Thread
from typing import TypeGuard, cast

from sqlalchemy.exc import DBAPIError

from flaskart.kit import leases
from flaskart.kit.db import Database, Session
from flaskart.kit.errors import Unavailable
from flaskart.kit.jobs import MAX_ERROR_LENGTH, Handler, Payload
from flaskart.kit.leases import Claim, LeaseLost
from flaskart.notifications.jobs import jobs_with
from flaskart.notifications.mailer import Mailer
from flaskart.privacy import jobs as privacy

# The rooms that have work for later, besides `notifications`, whose work takes a mailer.
ROOMS = (privacy,)
LEASE = timedelta(seconds=30)
POLL_SECONDS = 1.0
OUTAGE_SECONDS = 5.0
# Twenty tries take a day and a half, more or less.
MAX_ATTEMPTS = 20
FIRST_WAIT_SECONDS = 10.0
LONGEST_WAIT_SECONDS = 6 * 3_600.0
PARENT_SECONDS = 0.5
STOP_SECONDS = 10
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

log = logging.getLogger("flaskart.worker")


class UnknownJob(Exception):
    """No room has a handler of that name in this version."""


class WorkerLost(Exception):
    """The worker ended, each time, while it ran the job."""


def create_worker(db: Database, mailer: Mailer) -> "Worker":
    """Build the shop's worker, which knows what the rooms have for it to do."""
    handlers, periods = dict[str, Handler](jobs_with(mailer)), dict[str, timedelta]()
    for room in ROOMS:
        if not handlers.keys().isdisjoint(room.JOBS):
            raise TypeError(f"two rooms have a job of the same name: {sorted(handlers.keys() & room.JOBS)}")
        handlers |= room.JOBS
        periods |= room.PERIODIC
    return Worker(db, handlers, periods)


@dataclass(frozen=True, slots=True)
class Worker:
    """Runs one job at a time. Several of them, anywhere, share the work of a shop.

    While a job runs its lease is renewed. Whose worker is lost comes back when the lease is over.
    """

    db: Database
    handlers: Mapping[str, Handler]
    periods: Mapping[str, timedelta] = field(default_factory=dict)
    lease: timedelta = LEASE
    name: str = field(default_factory=lambda: f"{socket.gethostname()[:64]}:{os.getpid()}:{secrets.token_hex(4)}")

    def work(self, stop: Event) -> None:
        """Run jobs until told to stop; the one that runs is finished. When there is none, look again every second."""
        is_set_up = False
        while not stop.is_set():
            try:
                is_set_up = is_set_up or self.set_up()
                if not self.run_next():
                    stop.wait(POLL_SECONDS)
            except Unavailable as outage:
                log.warning("no job can be run: %s", outage)
                stop.wait(OUTAGE_SECONDS)

    def set_up(self) -> bool:
        """See that the periodic jobs are there."""

        def keep_periodic() -> None:
            with self.db.write() as session:
                leases.keep_periodic(session, self.periods)

        self.db.retrying(keep_periodic, is_repeatable=True)
        return True

    def run_next(self) -> bool:
        """Run the most urgent job that is due; tell whether there was one.

        Raises:
            Unavailable: the database cannot be reached, or is too busy.
        """
        claim = self.db.retrying(self._claim)
        if claim is None:
            return False
        try:
            with self._holding(claim):
                self._run(claim)
        except LeaseLost:
            log.warning("job %d (%s) took too long: another worker has it, or it is done", claim.job_id, claim.name)
        except Exception as failure:  # noqa: BLE001 - whatever it is, the job is tried again and the worker goes on
            self._put_off(claim, failure)
        return True

    def _claim(self) -> Claim | None:
        with self.db.read() as session:
            if not leases.is_any_due(session):
                return None
        with self.db.write() as session:
            return leases.claim_job(session, self.name, self.lease)

    def _run(self, claim: Claim) -> None:
        handler = self.handlers.get(claim.name)
        if handler is None:
            raise UnknownJob(f"this version has no job named {claim.name}")
        if claim.attempts > MAX_ATTEMPTS:
            raise WorkerLost("the worker ended while it ran the job, again and again")
        if _is_inside(handler):
            self.db.retrying(lambda: self._run_inside(handler, claim), is_repeatable=True)
        else:
            cast("Callable[[Database, Payload], None]", handler)(self.db, claim.payload)
            self._change(lambda session: leases.end_job(session, claim))

    def _run_inside(self, handler: Callable[[Session, Payload], None], claim: Claim) -> None:
        with self.db.write() as session:
            handler(session, claim.payload)
            leases.end_job(session, claim)

    def _put_off(self, claim: Claim, failure: Exception) -> None:
        """Let go of a job that failed: until later, or for good."""
        error = describe(failure)
        is_over = claim.attempts >= MAX_ATTEMPTS or isinstance(failure, UnknownJob)
        frames = "".join(traceback.format_tb(failure.__traceback__))  # without the message, which may hold parameters
        log.warning("job %d (%s), attempt %d: %s\n%s", claim.job_id, claim.name, claim.attempts, error, frames)
        try:
            if is_over:
                self._change(lambda session: leases.park(session, claim, error))
            else:
                seconds = wait_seconds(claim.attempts)
                self._change(lambda session: leases.put_off(session, claim, error, seconds=seconds))
        except LeaseLost:
            log.warning("job %d (%s) is another worker's by now", claim.job_id, claim.name)

    def _change(self, change: Callable[[Session], None]) -> None:
        def work() -> None:
            with self.db.write() as session:
                change(session)

        self.db.retrying(work, is_repeatable=True)

    @contextmanager
    def _holding(self, claim: Claim) -> Iterator[None]:
        """Renew the lease while the block runs."""
        is_over = Event()

        def renew() -> None:
            while not is_over.wait(self.lease.total_seconds() / 3):
                try:
                    self._change(lambda session: leases.extend_lease(session, claim, self.lease))
                except LeaseLost:
                    return  # the end of the job finds out, too
                except (Unavailable, DBAPIError) as failure:
                    log.warning("the lease of job %d is not renewed: %s", claim.job_id, describe(failure))

        renewing = Thread(target=renew, name="lease")
        renewing.start()
        try:
            yield
        finally:
            is_over.set()
            renewing.join()


def wait_seconds(attempts: int) -> float:
    """Return how long a job waits after so many attempts: anything up to a bound that doubles.

    That it may be anything spreads jobs which failed together:
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    bound = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** (attempts - 1))
    return random.uniform(0, bound)  # noqa: S311 - spreads retries, keeps no secret


def describe(failure: Exception) -> str:
    """Return a failure's type and first line, as it may be kept: without parameters, passwords and queries of URLs."""
    said = str(failure.orig if isinstance(failure, DBAPIError) else failure).strip().partition("\n")[0]
    said = re.sub(r"//[^/\s@]+@", "//…@", said)
    said = re.sub(r"(\w/?)\?[\w.~%-]+=\S*", r"\1?…", said)
    return f"{type(failure).__name__}: {said}"[:MAX_ERROR_LENGTH].rstrip(": ")


def _is_inside(handler: Handler) -> TypeGuard[Callable[[Session, Payload], None]]:
    """Tell whether a handler lives in a transaction or owns its own: its first argument says it, as everywhere."""
    first = next(iter(signature(handler).parameters), None)
    if first not in ("session", "db"):
        raise TypeError(f"the first argument of a job is `session` or `db`, not {first}")
    return first == "session"


def work_until_told_to_stop(worker: Worker, *, parent: int | None = None) -> None:
    """Run jobs until SIGTERM or SIGINT, or until another process than `parent` is this one's parent.

    The running job is finished. A second signal ends it where it is, and so do ten seconds without the parent; then
    its lease brings it back.
    """
    stop = Event()
    # A handler that sets the event could find its lock taken by the code it interrupts; a thread cannot.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    Thread(target=_wait_for_signal, args=(stop,), daemon=True).start()
    if parent is not None:
        Thread(target=_wait_for_orphanage, args=(stop, parent), daemon=True).start()
    worker.work(stop)


def _wait_for_signal(stop: Event) -> None:
    signal.sigwait(STOP_SIGNALS)
    stop.set()
    os._exit(128 + signal.sigwait(STOP_SIGNALS))


def _wait_for_orphanage(stop: Event, parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_SECONDS)
    stop.set()
    time.sleep(STOP_SECONDS)
    os._exit(1)
