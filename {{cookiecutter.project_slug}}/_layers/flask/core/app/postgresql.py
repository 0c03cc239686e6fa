"""Connections to PostgreSQL on which nothing waits for long: https://www.psycopg.org/psycopg3/docs/"""

from threading import Event, Lock
from typing import Any

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.errors import ConnectionTimeout
from psycopg.pq import TransactionStatus
from sqlalchemy import Dialect
from sqlalchemy.pool import ConnectionPoolEntry

CONNECT_SECONDS = 3
STATEMENT_SECONDS = 4
# The server ends a statement at its time-out, unless it hangs or is out of reach.
ANSWER_SECONDS = 4.5

_silent = Event()
_waiting = Lock()


def connect(_: Dialect, __: ConnectionPoolEntry, arguments: list[Any], options: dict[str, Any]) -> psycopg.Connection:
    """While the server is silent, one thread at a time waits for it. The others fail at once and stay free."""
    silent = _silent.is_set()
    if silent and not _waiting.acquire(blocking=False):
        raise ConnectionTimeout("the server does not answer")
    try:
        connection = _Connection.connect(*arguments, **options)
    except ConnectionTimeout:
        _silent.set()
        raise
    finally:
        if silent:
            _waiting.release()
    _silent.clear()
    return connection


class _Connection(psycopg.Connection):
    """Closes itself, so that the pool replaces it, when the server does not answer."""

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        try:
            return super().wait(gen, interval, timeout or ANSWER_SECONDS)
        except psycopg.OperationalError as error:
            if self.pgconn.transaction_status != TransactionStatus.ACTIVE:
                raise
            self.close()
            _silent.set()
            raise ConnectionTimeout("the server does not answer") from error
