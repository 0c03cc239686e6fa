"""Jobs that are run by threads of this process."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Timer
from uuid import UUID

import structlog
from django.db import connection, transaction

# Gives the seconds after which to run it again, or nothing when it is done.
type Task = Callable[[UUID], float | None]

# Python waits for these threads before it exits.
_pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="jobs")

logger = structlog.get_logger(__name__)


def send(task: Task, job_id: UUID) -> None:
    """Run the task in the background as soon as the current transaction is committed."""
    transaction.on_commit(lambda: _pool.submit(_run, task, job_id))


def _run(task: Task, job_id: UUID) -> None:
    try:
        pause = task(job_id)
    except Exception:
        logger.exception("job lost", job_id=str(job_id))
        return
    finally:
        connection.close()
    if pause is not None:
        timer = Timer(pause, _pool.submit, (_run, task, job_id))
        timer.daemon = True
        timer.start()
