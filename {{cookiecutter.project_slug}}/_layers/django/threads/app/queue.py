"""The queue is the jobs table: who works looks into it again and again."""

import signal
from collections.abc import Callable
from queue import Empty, SimpleQueue

import structlog
from django.db import OperationalError, connection

logger = structlog.get_logger(__name__)


def repeat(step: Callable[[], float]) -> None:
    """Call `step`, pause for the seconds that it returns, and so on until SIGTERM or SIGINT."""
    # A signal handler may put at any moment; threading.Event could deadlock.
    stop: SimpleQueue[None] = SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.put(None))
    while True:
        try:
            pause = step()
        except OperationalError:
            logger.exception("database unreachable")
            pause = 1
        finally:
            connection.close()
        try:
            return stop.get(timeout=pause)
        except Empty:
            continue
