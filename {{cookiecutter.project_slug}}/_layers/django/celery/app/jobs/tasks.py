"""What is done about jobs in the background: https://docs.celeryq.dev/en/stable/userguide/tasks.html"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from uuid import UUID

import structlog
from django.db import OperationalError, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from app import background, queue
from app.celery import Task, celery
from app.environment import environment
from app.jobs import runs
from app.jobs.models import Job

SWEEP_SECONDS = 5
SWEEP_BATCH = 500
# https://docs.celeryq.dev/en/stable/userguide/workers.html#time-limits
ENDING = (signal.SIGTERM, signal.SIGUSR1)

logger = structlog.get_logger(__name__)

# What takes long does not keep the sweep waiting: https://docs.celeryq.dev/en/stable/userguide/routing.html
celery.conf.task_routes = {"app.jobs.tasks.run": {"queue": "bulk"}}
# https://docs.celeryq.dev/en/stable/userguide/periodic-tasks.html
celery.conf.beat_schedule = {
    "sweep": {"task": "app.jobs.tasks.sweep", "schedule": SWEEP_SECONDS, "options": {"expires": SWEEP_SECONDS}}
}


def send(job_id: UUID) -> None:
    """Have a job run: by a worker, or where there is no broker in this process."""
    if environment.broker_url:
        queue.send(run, job_id, sent)
    else:
        background.send(runs.run, job_id)


@celery.task(bind=True)
def run(self: Task, job_id: str) -> None:
    """Run a job. Its message comes again when its worker has died."""
    again = bool((self.request.delivery_info or {}).get("redelivered"))
    try:
        runs.run(UUID(job_id), again=again, uninterrupted=uninterrupted)
    except OperationalError as error:
        # Nothing could be written. The sweep finds the job when the database is back.
        logger.error("database unreachable", job_id=job_id, error=repr(error))


@celery.task
def sweep() -> None:
    """Send the jobs that nobody runs: never sent, lost by the broker, postponed, or left by a worker that died."""
    try:
        job_ids = overdue()
    except OperationalError as error:
        logger.error("database unreachable", error=repr(error))
        return
    try:
        for job_id in job_ids:
            run.delay(str(job_id))
    except BrokerError as error:
        logger.error("broker unreachable", error=repr(error))
    if job_ids:
        logger.warning("jobs sent again", count=len(job_ids))


def overdue() -> list[UUID]:
    """Jobs to send now. They are due again if that leads to nothing."""
    now = timezone.now()
    due = Job.objects.filter(status__in=[Job.Status.PENDING, Job.Status.RUNNING], due_at__lte=now).order_by("due_at")
    with transaction.atomic():
        # What another sweep has locked, it sends.
        locked = due.select_for_update(skip_locked=True).values_list("id", flat=True)
        job_ids = list(locked[:SWEEP_BATCH])
        Job.objects.filter(id__in=job_ids).update(status=Job.Status.PENDING, due_at=runs.later())
    return job_ids


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let the signals wait that end a job: its time is up, or its worker stops.

    They raise an exception wherever they arrive, and Pydantic would take that for a wrong value.
    """
    arrived: list[int] = []
    if current_thread() is not main_thread():
        yield
        return
    handlers = {number: signal.signal(number, lambda number, _: arrived.append(number)) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    for late in arrived:
        signal.raise_signal(late)


def sent(job_id: UUID) -> None:
    """Give the workers time, before the sweep sends the job once more."""
    Job.objects.filter(id=job_id, status=Job.Status.PENDING, attempts=0).update(due_at=runs.later())
