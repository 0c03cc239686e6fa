"""How databases are reached: requests do not wait for a server that is gone.

https://www.psycopg.org/psycopg3/docs/advanced/pool.html
"""

import select
from pathlib import Path
from typing import Any, Self, override

import psycopg
from django.db import connection
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg_pool import ConnectionPool

from app.environment import environment

# Longer than the statement_timeout of the settings: a server that still works answers before.
ANSWER_SECONDS = 3.5
POOL_SECONDS = 2.0
POOL_SECONDS_WITHOUT_SERVER = 0.01


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


def refuse_closed(idle: psycopg.Connection[Any]) -> None:
    """Refuse a connection that the server has closed, at the price of one system call.

    Unasked, a server says nothing else.
    """
    poll = select.poll()
    poll.register(idle.fileno(), select.POLLIN)
    if poll.poll(0):
        if isinstance(idle._pool, ConnectionPool):
            idle._pool.drain()
        raise psycopg.OperationalError("the server has closed the connection")


def stop_waiting(pool: ConnectionPool[Connection]) -> None:
    """Refuse requests at once until there is a connection: those that wait would block the threads for the others."""
    pool.timeout = POOL_SECONDS_WITHOUT_SERVER


def settings(url: str) -> dict[str, Any]:
    """One of Django's databases: https://docs.djangoproject.com/en/6.1/ref/settings/#databases"""
    return _sqlite(Path(url.removeprefix("sqlite:///"))) if url.startswith("sqlite:") else _postgresql(url)


def _sqlite(file: Path) -> dict[str, Any]:
    file.parent.mkdir(parents=True, exist_ok=True)
    return {
        "ENGINE": "app.sqlite",
        "NAME": file,
        # https://docs.djangoproject.com/en/6.1/ref/databases/#persistent-database-connections
        "CONN_MAX_AGE": None,
        # https://docs.djangoproject.com/en/6.1/ref/databases/#sqlite-notes
        "OPTIONS": {
            "timeout": 5,
            # A transaction that reads first and writes later would else fail when another one writes in between.
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL",
        },
    }


def _postgresql(url: str) -> dict[str, Any]:
    parameters = conninfo_to_dict(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parameters.pop("dbname"),
        "USER": parameters.pop("user", ""),
        "PASSWORD": parameters.pop("password", ""),
        "HOST": parameters.pop("host"),
        "PORT": parameters.pop("port", ""),
        # https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
        # The parameters of the URL, such as ?sslmode=verify-full, come last and win.
        "OPTIONS": {
            "connect_timeout": 3,
            "options": "-c statement_timeout=3s",
            # https://www.psycopg.org/psycopg3/docs/api/pool.html#psycopg_pool.ConnectionPool
            "pool": {
                "connection_class": Connection,
                "min_size": 1,
                "max_size": environment.database_pool_size,
                "timeout": POOL_SECONDS,
                "check": refuse_closed,
                "reconnect_timeout": POOL_SECONDS,
                "reconnect_failed": stop_waiting,
            },
        }
        | parameters,
    }
