"""What is done about jobs in the background."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select, update

from app.database import reading, writing
from app.jobs import runs
from app.jobs.models import Job
from app.queue import queue


def send(job_id: UUID) -> None:
    """Have a job run. Its row must be committed."""
    queue.send(runs.run, job_id)


async def overdue() -> UUID | None:
    """The job that has been waiting longest for somebody to run it."""
    waiting = select(Job.id).where(Job.status == "pending", Job.due_at <= datetime.now(UTC))
    async with reading() as session:
        return await session.scalar(waiting.order_by(Job.due_at).limit(1))


async def return_lost() -> int:
    """Make jobs pending again whose process has died. How many there were."""
    lost = update(Job).where(Job.status == "running", Job.due_at <= datetime.now(UTC))
    async with writing.begin() as session:
        return len((await session.scalars(lost.values(status="pending").returning(Job.id))).all())
