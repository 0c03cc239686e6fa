from argparse import REMAINDER, ArgumentParser

from django.core.management.base import BaseCommand

from app import worker


class Command(BaseCommand):
    help = "Sends what is due by the schedule, until SIGTERM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("arguments", nargs=REMAINDER, help="Celery's, such as --concurrency=8")

    def handle(self, *args: object, **options: list[str]) -> None:
        worker.beat(options["arguments"])
