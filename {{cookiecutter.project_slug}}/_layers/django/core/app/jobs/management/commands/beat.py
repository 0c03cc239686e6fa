from datetime import timedelta

import structlog
from django.core.management.base import BaseCommand
from django.utils import timezone

from app.jobs.models import Job
from app.queue import repeat

INTERVAL_SECONDS = 30
LOST_AFTER = timedelta(minutes=15)

logger = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = "Returns lost jobs to the queue, again and again, until SIGTERM."

    def handle(self, *args: object, **options: object) -> None:
        repeat(return_lost)


def return_lost() -> float:
    """Let jobs that have been running for too long start anew; returns the seconds until the next look."""
    count = Job.objects.filter(status=Job.Status.RUNNING, started_at__lt=timezone.now() - LOST_AFTER).update(
        status=Job.Status.PENDING, started_at=None
    )
    if count:
        logger.warning("lost jobs returned", count=count)
    return INTERVAL_SECONDS
