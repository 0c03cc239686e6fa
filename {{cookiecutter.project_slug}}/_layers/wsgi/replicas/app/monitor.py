"""Threads that keep an eye on the primary and its replicas."""

import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from threading import Lock, Thread
from typing import Any, override

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

from app.environment import environment
from app.replicas import ANSWER_SECONDS, CHECK_SECONDS, REPLAYED, URLS, WRITTEN, replicas

_lock = Lock()
_threads: list[Thread] = []


class Connection(psycopg.Connection[Any]):
    """Closes itself when the server does not answer: https://www.psycopg.org/psycopg3/docs/api/connections.html"""

    @override
    def wait[T](self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        try:
            # The server ends a statement before, unless it hangs.
            return super().wait(gen, interval, ANSWER_SECONDS + 0.2 if timeout is None else timeout)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.close()
            raise


def start() -> None:
    """Start with the first request: a process that is forked afterwards would be without these threads."""
    if _threads or not URLS:
        return
    with _lock:
        if _threads:
            return
        watches = [partial(_watch, environment.database_url, WRITTEN, replicas.primary_has_written, lambda _: None)]
        for number, url in enumerate(URLS):
            seen, lost = partial(replicas.has_replayed, number), partial(replicas.has_failed, number)
            watches.append(partial(_watch, url, REPLAYED, seen, lost))
        _threads.extend(Thread(target=watch, name="replicas", daemon=True) for watch in watches)
        for thread in _threads:
            thread.start()


def _watch(url: str, statement: str, seen: Callable[[Any], None], lost: Callable[[Exception], None]) -> None:
    while True:
        try:
            # Two seconds are the least that can be asked for.
            with closing(Connection.connect(url, autocommit=True, connect_timeout=2)) as connection:
                while True:
                    row = connection.execute(statement.encode()).fetchone()
                    seen(row[0] if row else None)
                    time.sleep(CHECK_SECONDS)
        except psycopg.Error as error:
            lost(error)
        time.sleep(CHECK_SECONDS)
