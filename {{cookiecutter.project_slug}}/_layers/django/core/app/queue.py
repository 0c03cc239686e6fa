"""Background jobs, run by threads of this process."""

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from uuid import UUID

import structlog
from django.db import OperationalError, connection, transaction

# Python waits for these threads before it exits.
_pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="jobs")

logger = structlog.get_logger(__name__)


def send(task: Callable[[UUID], None], job_id: UUID) -> None:
    """Run the task in the background as soon as the current transaction is committed."""
    transaction.on_commit(lambda: _pool.submit(_run, task, job_id))


def _run(task: Callable[[UUID], None], job_id: UUID) -> None:
    try:
        task(job_id)
    except Exception:
        logger.exception("job lost", job_id=str(job_id))
    finally:
        connection.close()


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
