import fcntl

from django.conf import settings
from django.core.management.commands import migrate


class Command(migrate.Command):
    """Django's, but when several are started at once, they run one after the other."""

    def handle(self, *args: object, **options: object) -> None:
        with settings.DATABASE_FILE.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            super().handle(*args, **options)
