"""Connections to PostgreSQL that do not let requests wait for a server that is gone.

https://www.psycopg.org/psycopg3/docs/advanced/pool.html
"""

import select
from typing import Any, Self, override

import psycopg
from django.db import connection
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus
from psycopg_pool import ConnectionPool

# Longer than the statement_timeout of the settings: a server that still works answers before.
ANSWER_SECONDS = 3.5
POOL_SECONDS = 2.0
POOL_SECONDS_WITHOUT_SERVER = 0.05


class Connection(psycopg.Connection[Any]):
    """A connection of Django's pool that gives up on a server that hangs.

    When one connection is lost, the others most likely are: the pool opens new ones.
    """

    @override
    @classmethod
    def connect(cls, *args: Any, **kwargs: Any) -> Self:
        connected = super().connect(*args, **kwargs)
        pool().timeout = POOL_SECONDS
        return connected

    @override
    def wait[T](self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        try:
            return super().wait(gen, interval, ANSWER_SECONDS if timeout is None else timeout)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.close()
                stop_waiting(pool())
            if self.closed:
                pool().drain()
            raise


def pool() -> ConnectionPool[Connection]:
    return connection.pool  # type: ignore[attr-defined, no-any-return]


def refuse_closed(idle: Connection) -> None:
    """Refuse a connection that the server has closed, at the price of one system call.

    Unasked, a server says nothing else.
    """
    poll = select.poll()
    poll.register(idle.fileno(), select.POLLIN)
    if poll.poll(0):
        pool().drain()
        raise psycopg.OperationalError("the server has closed the connection")


def stop_waiting(pool: ConnectionPool[Connection]) -> None:
    """Refuse requests at once until there is a connection: those that wait would block the threads for the others."""
    pool.timeout = POOL_SECONDS_WITHOUT_SERVER
