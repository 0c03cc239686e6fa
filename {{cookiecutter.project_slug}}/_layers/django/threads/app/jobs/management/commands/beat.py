from django.core.management.base import BaseCommand

from app.jobs.tasks import sweep
from app.queue import repeat


class Command(BaseCommand):
    help = "Returns lost jobs to the queue, again and again, until SIGTERM."

    def handle(self, *args: object, **options: object) -> None:
        repeat(sweep)
