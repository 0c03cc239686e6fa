from django.core.management.base import BaseCommand

from app.jobs.models import Job
from app.jobs.tasks import run
from app.queue import repeat


class Command(BaseCommand):
    help = "Runs pending jobs, one by one, until SIGTERM."

    def handle(self, *args: object, **options: object) -> None:
        repeat(run_next)


def run_next() -> float:
    """Run the oldest pending job, if there is one; returns the seconds to wait for the next."""
    job_id = Job.objects.filter(status=Job.Status.PENDING).order_by("id").values_list("id", flat=True).first()
    if job_id is None:
        return 1
    run(job_id)
    return 0
