"""What is done about jobs in the background: by the workers, or by this process when there is no broker.

A message only says that there may be something to do: it may get lost, or come twice. What there is to do, the table
says. https://docs.celeryq.dev/en/stable/userguide/tasks.html
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

from celery.exceptions import SoftTimeLimitExceeded
from celery.signals import worker_process_shutdown
from sqlalchemy import select, update
from structlog import get_logger

from app import database, health, publisher
from app.celery import Task, celery
from app.database import writing
from app.environment import environment
from app.jobs import runs
from app.jobs.models import Job
from app.queue import queue

SWEEP_SECONDS = 5
SWEEP_BATCH = 500

logger = get_logger(__name__)
# One event loop for each process of the worker, because connections to the database belong to a loop.
runner = asyncio.Runner()

# What takes long does not keep the sweep waiting: https://docs.celeryq.dev/en/stable/userguide/routing.html
celery.conf.task_routes = {"app.jobs.tasks.run": {"queue": "bulk"}}
# https://docs.celeryq.dev/en/stable/userguide/periodic-tasks.html
celery.conf.beat_schedule = {
    "sweep": {"task": "app.jobs.tasks.sweep", "schedule": SWEEP_SECONDS, "options": {"expires": SWEEP_SECONDS}}
}


async def broker_answers() -> bool:
    await asyncio.to_thread(publisher.check)
    return True


if environment.broker_url:
    health.CHECKS["broker"] = broker_answers


def send(job_id: UUID) -> None:
    """Have a job run. Its row must be committed."""
    if environment.broker_url is None:
        queue.send(runs.run, job_id)
        return
    reached: list[UUID] = []
    sending = publisher.send(run, job_id, reached.append)

    async def note(job_id: UUID) -> None:
        if sending:
            await asyncio.wrap_future(sending)
        if reached:
            await leave_to_workers(job_id)

    queue.send(note, job_id)


@celery.task(bind=True)
def run(self: Task, job_id: str) -> None:
    """Run a job. Its message comes again when its worker has died."""
    again = bool((self.request.delivery_info or {}).get("redelivered"))
    try:
        runner.run(runs.run(UUID(job_id), again=again, limit=soft_time_limit()))
    except runs.TRANSIENT as error:
        # Nothing could be written. The sweep finds the job when the database is back.
        logger.error("database unreachable", job_id=job_id, error=str(error))


@celery.task
def sweep() -> None:
    """Send the jobs that nobody runs: never sent, lost by the broker, postponed, or left by a worker that died."""
    try:
        job_ids = runner.run(overdue())
    except runs.TRANSIENT as error:
        logger.error("database unreachable", error=str(error))
        return
    for job_id in job_ids:
        publisher.send(run, job_id, lambda _: None)
    if job_ids:
        logger.warning("jobs sent again", jobs=len(job_ids))


async def leave_to_workers(job_id: UUID) -> None:
    """Give them some time to claim the job, before it is sent again."""
    untouched = update(Job).where(Job.id == job_id, Job.status == "pending", Job.attempts == 0)
    async with writing.begin() as session:
        await session.execute(untouched.values(due_at=datetime.now(UTC) + runs.PATIENCE))


async def overdue() -> Sequence[UUID]:
    """Jobs to send now. They are due again if that leads to nothing."""
    now = datetime.now(UTC)
    due = select(Job.id).where(Job.status.in_(["pending", "running"]), Job.due_at <= now).order_by(Job.due_at)
    # What another sweep has locked, it sends. A subquery could be run, and so lock, more than once.
    locked = due.limit(SWEEP_BATCH).with_for_update(skip_locked=True).cte("locked")
    take = update(Job).where(Job.id.in_(select(locked.c.id))).values(status="pending", due_at=now + runs.PATIENCE)
    async with writing.begin() as session:
        return (await session.scalars(take.returning(Job.id))).all()


@asynccontextmanager
async def soft_time_limit() -> AsyncIterator[None]:
    """End what runs when Celery's signal says that time is up. Its own handler would rather end the event loop."""
    limit = asyncio.timeout(None)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, lambda: limit.reschedule(loop.time()))
    try:
        async with limit:
            yield
    except TimeoutError:
        if limit.expired():
            raise SoftTimeLimitExceeded from None
        raise


@worker_process_shutdown.connect
def close(**_: object) -> None:
    runner.run(database.close())
    runner.close()
