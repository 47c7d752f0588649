"""`flaskart jobs`: what the worker has to do, and what it could not."""

from collections.abc import Callable, Sequence

import click

from flaskart.cli.shop import as_json, open_shop, print_rows
from flaskart.kit import jobs as queue
from flaskart.kit.db import Session
from flaskart.kit.jobs import Job, JobState

job_ids = click.argument("job_ids", metavar="[ID]...", type=click.IntRange(min=1), nargs=-1)
all_dead = click.option("--all-dead", is_flag=True, help="All dead jobs instead of those with these ids.")


@click.group()
def jobs() -> None:
    """See, retry and discard the worker's jobs."""


@jobs.command("list")
@click.option("--state", type=click.Choice([state.value for state in JobState]), help="Only jobs in this state.")
@click.option("--name", help="Only jobs of this name.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help="How many at most.")
@as_json
def list_jobs(state: str | None, name: str | None, limit: int, is_json: bool) -> None:
    """List jobs: the dead first, then in the order in which they are done."""
    _, db = open_shop()
    with db.read() as session:
        found = queue.list_jobs(session, state=JobState(state) if state else None, name=name, limit=limit)
        rows = [_row(job, its_state) for job, its_state in found]
    print_rows(rows, is_json=is_json)


@jobs.command()
@job_ids
@all_dead
def retry(job_ids: Sequence[int], all_dead: bool) -> None:
    """Make jobs due now, as if they had never been tried."""
    _change(queue.retry_job, job_ids, all_dead, "Retried")


@jobs.command()
@job_ids
@all_dead
@click.confirmation_option(prompt="What these jobs were to do will not be done. Go on?")
def discard(job_ids: Sequence[int], all_dead: bool) -> None:
    """Delete jobs that are not to be done."""
    _change(queue.discard_job, job_ids, all_dead, "Discarded")


def _change(change: Callable[[Session, int], bool], job_ids: Sequence[int], all_dead: bool, done: str) -> None:
    """Change all these jobs or none of them."""
    if bool(job_ids) == all_dead:
        raise click.UsageError("give either the ids of jobs or --all-dead")
    _, db = open_shop()
    with db.write() as session:
        chosen = queue.list_dead(session) if all_dead else sorted(set(job_ids))
        missing = [job_id for job_id in chosen if not change(session, job_id)]
        if missing:
            raise click.ClickException(f"no such job, or it is running: {', '.join(map(str, missing))}")
    click.echo(f"{done} {len(chosen)} jobs" if len(chosen) != 1 else f"{done} 1 job")


def _row(job: Job, state: str) -> dict[str, object]:
    return {
        "id": job.id,
        "name": job.name,
        "state": state,
        "priority": job.priority,
        "attempts": job.attempts,
        "run_at": job.run_at,
        "payload": job.payload,
        "last_error": job.last_error,
    }
