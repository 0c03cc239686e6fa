"""What is done about jobs in the background: by the workers, or by this process when there is no broker.

A message only says that there may be something to do: it may get lost, or come twice. What there is to do, the table
says. https://docs.celeryq.dev/en/stable/userguide/tasks.html
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

from kombu.exceptions import OperationalError
from sqlalchemy import select, update
from structlog import get_logger

from app import health, publisher
from app.celery import Task, celery
from app.database import UNREACHABLE, db, transaction
from app.environment import environment
from app.jobs import runs
from app.jobs.models import Job
from app.queue import queue

SWEEP_SECONDS = 5
SWEEP_BATCH = 500
# https://docs.celeryq.dev/en/stable/userguide/workers.html#time-limits
ENDING = {signal.SIGTERM, signal.SIGUSR1}

logger = get_logger(__name__)
# What takes long does not keep the sweep waiting: https://docs.celeryq.dev/en/stable/userguide/routing.html
celery.conf.task_routes = {"app.jobs.tasks.run": {"queue": "bulk"}}
# https://docs.celeryq.dev/en/stable/userguide/periodic-tasks.html
celery.conf.beat_schedule = {
    "sweep": {"task": "app.jobs.tasks.sweep", "schedule": SWEEP_SECONDS, "options": {"expires": SWEEP_SECONDS}}
}
if environment.broker_url:
    health.CHECKS["broker"] = publisher.check


def send(job_id: UUID) -> None:
    """Have a job run. Its row must be committed."""
    if environment.broker_url:
        publisher.send(run, job_id, leave_to_workers)
    else:
        queue.send(runs.run, job_id)


@celery.task(bind=True)
def run(self: Task, job_id: str) -> None:
    """Run a job. The message comes again when its worker has died."""
    again = bool((self.request.delivery_info or {}).get("redelivered"))
    with queue.app.app_context(), signals_held_back() as let_signals_in:
        try:
            runs.run(UUID(job_id), again=again, pause=let_signals_in)
        except UNREACHABLE as error:
            # Nothing could be written. The sweep finds the job when the database is back.
            logger.error("database unreachable", job_id=job_id, error=str(error))


@celery.task
def sweep() -> None:
    """Send the jobs that nobody runs: never sent, lost by the broker, postponed, or left by a worker that died."""
    with queue.app.app_context():
        try:
            job_ids = overdue()
        except UNREACHABLE as error:
            logger.error("database unreachable", error=str(error))
            return
    try:
        for job_id in job_ids:
            run.delay(str(job_id))
    except OperationalError as error:
        logger.error("broker unreachable", error=str(error))
    if job_ids:
        logger.warning("jobs sent again", jobs=len(job_ids))


@contextmanager
def signals_held_back() -> Iterator[Callable[[], None]]:
    """Let a signal that ends the job (its time is up, its worker stops) wait for a call of what this gives.

    It raises an exception wherever it arrives, and Pydantic would take that for a wrong value.
    """

    def let_in() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)

    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield let_in
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


def leave_to_workers(job_id: UUID) -> None:
    """Give them some time to claim the job, before it is sent again."""
    untouched = update(Job).where(Job.id == job_id, Job.status == "pending", Job.attempts == 0)
    with queue.app.app_context(), transaction():
        db.session.execute(untouched.values(due_at=datetime.now(UTC) + runs.PATIENCE))


def overdue() -> list[UUID]:
    """Jobs to send now. They are due again if that leads to nothing."""
    now = datetime.now(UTC)
    due = select(Job.id).where(Job.status.in_(["pending", "running"]), Job.due_at <= now).order_by(Job.due_at)
    # What another sweep has locked, it sends. A subquery could be run, and so lock, more than once.
    locked = due.limit(SWEEP_BATCH).with_for_update(skip_locked=True).cte("locked")
    take = update(Job).where(Job.id.in_(select(locked.c.id))).values(status="pending", due_at=now + runs.PATIENCE)
    with transaction():
        return list(db.session.scalars(take.returning(Job.id)))
