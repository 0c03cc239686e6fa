"""How a job comes from pending to its end. What the table says is true, whoever runs the job and however often."""

import random
import time
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exc, update
from structlog import get_logger

from app.database import writing
from app.jobs.exports import export
from app.jobs.models import Job

# A job of which nothing is heard for so long is handed out again.
PATIENCE = timedelta(seconds=30)
RENEW_SECONDS = 5
ATTEMPTS = 5
# The database, a disk, a network: may be better soon.
TRANSIENT = (OSError, exc.OperationalError, exc.TimeoutError)

logger = get_logger(__name__)


class WorkerLostError(Exception):
    """Every process that ran the job has died, maybe because of the job."""


async def run(
    job_id: UUID, *, again: bool = False, limit: AbstractAsyncContextManager[Any] | None = None
) -> float | None:
    """Run a pending job. Of several that try, one does.

    With `again` also a running one: whoever ran it is dead. Gives the seconds after which to try once more, if at all.
    """
    job = await _claim(job_id, again)
    if job is None:
        return None
    log = logger.bind(job_id=str(job_id), attempt=job.attempts)
    log.info("job started")
    try:
        if job.attempts > ATTEMPTS:
            raise WorkerLostError
        async with limit or nullcontext():
            status, result = "succeeded", await export(job, _Renewal(job))
    except Exception as error:
        if isinstance(error, TRANSIENT) and job.attempts < ATTEMPTS:
            pause = random.uniform(1, min(2**job.attempts, 60))  # noqa: S311
            log.warning("job postponed", error=repr(error), seconds=round(pause, 1))
            await _change(job, status="pending", due_at=datetime.now(UTC) + timedelta(seconds=pause))
            return pause
        log.exception("job failed")
        status, result = "failed", {"error": type(error).__name__}
    await _change(job, status=status, result=result, finished_at=datetime.now(UTC))
    log.info("job finished", status=status)
    return None


class _Renewal:
    """Called while a job runs: now and then it writes down that it does."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._last = time.monotonic()

    async def __call__(self) -> None:
        if time.monotonic() - self._last > RENEW_SECONDS:
            await _change(self._job, due_at=datetime.now(UTC) + PATIENCE)
            self._last = time.monotonic()


async def _claim(job_id: UUID, again: bool) -> Job | None:
    statuses = ["pending", "running"] if again else ["pending"]
    now = datetime.now(UTC)
    claim = update(Job).where(Job.id == job_id, Job.status.in_(statuses))
    claimed = claim.values(status="running", attempts=Job.attempts + 1, started_at=now, due_at=now + PATIENCE)
    async with writing.begin() as session:
        return await session.scalar(claimed.returning(Job))


async def _change(job: Job, **values: Any) -> None:  # noqa: ANN401
    # Not a job that was handed out again meanwhile: another process answers for it.
    mine = (Job.id == job.id, Job.status == "running", Job.attempts == job.attempts)
    async with writing.begin() as session:
        await session.execute(update(Job).where(*mine).values(values))
