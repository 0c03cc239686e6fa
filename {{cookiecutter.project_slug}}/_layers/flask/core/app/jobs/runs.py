"""How a job comes from pending to its end. What the table says is true, whoever runs the job and however often."""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from flask import current_app
from sqlalchemy import update
from structlog import get_logger

from app.database import UNREACHABLE, db, transaction
from app.jobs.exports import export
from app.jobs.models import Job

# A job of which nothing is heard for so long is handed out again.
PATIENCE = timedelta(seconds=30)
RENEW_SECONDS = 5
ATTEMPTS = 5
# The database, a disk, a network: may be better soon.
TRANSIENT = (*UNREACHABLE, OSError)

logger = get_logger(__name__)


class WorkerLostError(Exception):
    """Every process that ran the job has died, maybe because of the job."""


class HandedOutAgainError(Exception):
    """Another process answers for the job by now."""


def run(job_id: UUID, *, again: bool = False, pause: Callable[[], None] = lambda: None) -> float | None:
    """Run a pending job. Of several that try, one does.

    With `again` also a running one: whoever ran it is dead. `pause` is called now and then while the job runs, and may
    end it by an exception. Gives the seconds after which to try once more, if at all.
    """
    job = _claim(job_id, again)
    if job is None:
        return None
    log = logger.bind(job_id=str(job_id), attempt=job.attempts)
    log.info("job started")
    try:
        if job.attempts > ATTEMPTS:
            raise WorkerLostError
        status, result = "succeeded", export(job, _Renewal(job, pause))
    except HandedOutAgainError:
        log.warning("job left to another process")
        return None
    except Exception as error:
        if isinstance(error, TRANSIENT) and job.attempts < ATTEMPTS:
            return _postpone(job, error)
        log.exception("job failed")
        status, result = "failed", {"error": type(error).__name__}
    _change(job, status=status, result=result, finished_at=datetime.now(UTC))
    log.info("job finished", status=status)
    return None


def _claim(job_id: UUID, again: bool) -> Job | None:
    statuses = ["pending", "running"] if again else ["pending"]
    now = datetime.now(UTC)
    free = update(Job).where(Job.id == job_id, Job.status.in_(statuses))
    claim = free.values(status="running", attempts=Job.attempts + 1, started_at=now, due_at=now + PATIENCE)
    with transaction():
        job = db.session.scalar(claim.returning(Job))
    # What is known of it stays as it is, even when a transaction is rolled back: which attempt this is, most of all.
    db.session.expunge_all()
    return job


class _Renewal:
    """Called while a job runs: now and then it writes down that it does."""

    def __init__(self, job: Job, pause: Callable[[], None]) -> None:
        self._job = job
        self._pause = pause
        self._last = time.monotonic()

    def __call__(self) -> None:
        self._pause()
        if time.monotonic() - self._last < RENEW_SECONDS:
            return
        # In a session of its own: the job is reading in the other one.
        with current_app.app_context():
            if not _change(self._job, due_at=datetime.now(UTC) + PATIENCE):
                raise HandedOutAgainError
        self._last = time.monotonic()


def _postpone(job: Job, error: Exception) -> float:
    seconds = random.uniform(1, min(2**job.attempts, 60))  # noqa: S311
    logger.warning("job postponed", job_id=str(job.id), error=repr(error), seconds=round(seconds, 1))
    _change(job, status="pending", due_at=datetime.now(UTC) + timedelta(seconds=seconds))
    return seconds


def _change(job: Job, **values: object) -> bool:
    """Whether the job still was this process's to change."""
    mine = (Job.id == job.id, Job.status == "running", Job.attempts == job.attempts)
    with transaction():
        return db.session.scalar(update(Job).where(*mine).values(values).returning(Job.id)) is not None
