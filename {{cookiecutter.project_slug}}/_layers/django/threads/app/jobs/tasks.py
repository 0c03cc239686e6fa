"""What is done about jobs in the background."""

from uuid import UUID

import structlog
from django.utils import timezone

from app import background
from app.jobs import runs
from app.jobs.models import Job

logger = structlog.get_logger(__name__)


def send(job_id: UUID) -> None:
    """Have a job run in this process."""
    background.send(runs.run, job_id)


def run_next() -> float:
    """Run the job that is due the longest, if there is one; returns the seconds to wait for the next."""
    due = Job.objects.filter(status=Job.Status.PENDING, due_at__lte=timezone.now())
    job_id = due.order_by("due_at").values_list("id", flat=True).first()
    if job_id is None:
        return 1
    runs.run(job_id)
    return 0


def sweep() -> float:
    """Let jobs run anew whose process has died; returns the seconds until the next look."""
    lost = Job.objects.filter(status=Job.Status.RUNNING, due_at__lte=timezone.now())
    if count := lost.update(status=Job.Status.PENDING):
        logger.warning("lost jobs returned", count=count)
    return 5
