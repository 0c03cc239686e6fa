from django.core.management.base import BaseCommand

from app.jobs.tasks import run_next
from app.queue import repeat


class Command(BaseCommand):
    help = "Runs pending jobs, one by one, until SIGTERM."

    def handle(self, *args: object, **options: object) -> None:
        repeat(run_next)
