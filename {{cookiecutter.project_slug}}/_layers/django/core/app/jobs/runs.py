"""How a job comes from pending to its end. What the table says is true, whoever runs the job and however often."""

import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import OperationalError, models, transaction
from django.db.models import F
from django.utils import timezone

from app.jobs.exports import export
from app.jobs.models import Job

# A job of which nothing is heard for so long is handed out again.
PATIENCE = timedelta(seconds=30)
RENEW_SECONDS = 5
ATTEMPTS = 5
LONGEST_PAUSE_SECONDS = 60
# A disk, a network, the database: may be better soon.
TRANSIENT = (OSError, OperationalError)

logger = structlog.get_logger(__name__)


def run(
    job_id: UUID, *, again: bool = False, uninterrupted: Callable[[], AbstractContextManager[None]] = nullcontext
) -> float | None:
    """Run a pending job. Of several that try, one does.

    With `again` also a running one: whoever ran it is dead. Gives the seconds after which to try once more, if at all.
    `uninterrupted` surrounds what no signal may interrupt.
    """
    job = claim(job_id, again)
    if job is None:
        return None
    with structlog.contextvars.bound_contextvars(job_id=str(job_id), attempt=job.attempts):
        logger.info("job started")
        try:
            if job.attempts > ATTEMPTS:
                raise RuntimeError("every process that ran this job has died")
            result = export(job, renewal(job), uninterrupted)
        except Exception as error:
            if isinstance(error, TRANSIENT) and job.attempts < ATTEMPTS:
                return postpone(job, error)
            logger.exception("job failed")
            finish(job, Job.Status.FAILED, {"error": type(error).__name__})
        else:
            finish(job, Job.Status.SUCCEEDED, result)
            logger.info("job succeeded", **result)
    return None


def claim(job_id: UUID, again: bool) -> Job | None:
    claimable = [Job.Status.PENDING, Job.Status.RUNNING] if again else [Job.Status.PENDING]
    with transaction.atomic():
        claimed = Job.objects.filter(id=job_id, status__in=claimable).update(
            status=Job.Status.RUNNING, attempts=F("attempts") + 1, started_at=timezone.now(), due_at=later()
        )
        return Job.objects.get(id=job_id) if claimed else None


def postpone(job: Job, error: Exception) -> float:
    """Let the job run again after a pause, which it returns: longer each time, and never the same for all."""
    pause = random.uniform(1, min(2**job.attempts, LONGEST_PAUSE_SECONDS))  # noqa: S311
    logger.warning("job postponed", error=repr(error), seconds=round(pause, 1))
    mine(job).update(status=Job.Status.PENDING, due_at=timezone.now() + timedelta(seconds=pause))
    return pause


def finish(job: Job, status: Job.Status, result: dict[str, Any]) -> None:
    mine(job).update(status=status, result=result, finished_at=timezone.now())


def renewal(job: Job) -> Callable[[], None]:
    """To be called often while a job runs: now and then it writes down that it does."""
    last = time.monotonic()

    def renew() -> None:
        nonlocal last
        if time.monotonic() - last > RENEW_SECONDS:
            mine(job).update(due_at=later())
            last = time.monotonic()

    return renew


def mine(job: Job) -> models.QuerySet[Job]:
    """The job's row, unless it was handed out again meanwhile: another process answers for it then."""
    return Job.objects.filter(id=job.id, status=Job.Status.RUNNING, attempts=job.attempts)


def later() -> datetime:
    return timezone.now() + PATIENCE
