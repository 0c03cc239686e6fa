"""What is done about jobs in the background."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select, update

from app.database import db, transaction
from app.jobs import runs
from app.jobs.models import Job
from app.queue import queue


def send(job_id: UUID) -> None:
    """Have a job run. Its row must be committed."""
    queue.send(runs.run, job_id)


def due() -> UUID | None:
    """The job that has been waiting longest for somebody to run it."""
    waiting = select(Job.id).where(Job.status == "pending", Job.due_at <= datetime.now(UTC))
    with db.session.begin():
        return db.session.scalar(waiting.order_by(Job.due_at).limit(1))


def sweep() -> int:
    """Make jobs pending again whose process has died. How many there were."""
    lost = update(Job).where(Job.status == "running", Job.due_at <= datetime.now(UTC))
    with transaction():
        return len(db.session.scalars(lost.values(status="pending").returning(Job.id)).all())
