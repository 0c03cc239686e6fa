"""Connections to PostgreSQL on which nothing waits for long: https://www.psycopg.org/psycopg3/docs/"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.errors import ConnectionTimeout
from psycopg.pq import TransactionStatus
from sqlalchemy import Dialect
from sqlalchemy.pool import ConnectionPoolEntry

CONNECT_SECONDS = 3
STATEMENT_SECONDS = 3
# The server ends a statement at its time-out, unless it hangs or is out of reach.
ANSWER_SECONDS = 3.5
# How long nobody asks a server again that was silent.
PAUSE_SECONDS = 1


class Silence:
    """Whether the server is silent. While it is, one thread at a time waits for it; the others stay free."""

    def __init__(self) -> None:
        self._waiting = Lock()
        self._noticed: float | None = None

    def begin(self) -> None:
        self._noticed = time.monotonic()

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Let the caller connect, or fail at once; a connection ends the silence."""
        if self._noticed is None:
            yield
            return
        paused = time.monotonic() < self._noticed + PAUSE_SECONDS
        if paused or not self._waiting.acquire(blocking=False):
            raise ConnectionTimeout("the server does not answer")
        try:
            yield
            self._noticed = None
        finally:
            self._waiting.release()


silence = Silence()


def connect(_: Dialect, __: ConnectionPoolEntry, arguments: list[Any], options: dict[str, Any]) -> psycopg.Connection:
    with silence.guard():
        try:
            return _Connection.connect(*arguments, **options)
        except ConnectionTimeout:
            silence.begin()
            raise


class _Connection(psycopg.Connection):
    """Closes itself, so that the pool replaces it, when the server does not answer."""

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        try:
            return super().wait(gen, interval, timeout or ANSWER_SECONDS)
        except psycopg.OperationalError as error:
            if self.pgconn.transaction_status != TransactionStatus.ACTIVE:
                raise
            self.close()
            silence.begin()
            raise ConnectionTimeout("the server does not answer") from error
