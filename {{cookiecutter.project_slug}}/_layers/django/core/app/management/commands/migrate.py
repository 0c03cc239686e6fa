import fcntl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
from django.core.management.commands import migrate
from django.db import connection, connections

from app.environment import environment

# A number that nobody else locks: "migrate" in ASCII.
LOCK = 0x6D696772617465


class Command(migrate.Command):
    """Django's, but when several are started at once, they run one after the other."""

    def handle(self, *args: object, **options: object) -> None:
        with on_sqlite() if connection.vendor == "sqlite" else on_postgresql():
            super().handle(*args, **options)


@contextmanager
def on_sqlite() -> Iterator[None]:
    with Path(connection.settings_dict["NAME"]).with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def on_postgresql() -> Iterator[None]:
    """Migrate under an advisory lock, over a connection that may take its time, but not for a lock.

    https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
    """
    usual = connections["default"]
    patient = usual.copy()
    patient.settings_dict["OPTIONS"] |= {"pool": None, "options": "-c statement_timeout=0 -c lock_timeout=3s"}
    # The lock of a transaction, unlike that of a session, holds behind PgBouncer too.
    waiting = "-c statement_timeout=0 -c idle_in_transaction_session_timeout=0"
    with psycopg.connect(environment.database_url, connect_timeout=3, options=waiting) as lock, closing(patient):
        # A query with parameters would keep its snapshot, for which CREATE INDEX CONCURRENTLY waits.
        lock.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
        connections["default"] = patient
        try:
            yield
        finally:
            connections["default"] = usual
