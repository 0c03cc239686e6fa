"""Hands messages to the broker, so that no request waits for it."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import BoundedSemaphore
from uuid import UUID

import structlog

from app.celery import Task, celery
from app.circuit import Circuit

AT_ONCE = 1000

circuit = Circuit("broker")
logger = structlog.get_logger(__name__)

# Started with the first message, and so after any fork. Python waits for it before it exits.
_thread = ThreadPoolExecutor(1, thread_name_prefix="publisher")
_places = BoundedSemaphore(AT_ONCE)


def send(task: Task, job_id: UUID, sent: Callable[[UUID], None]) -> Future[None] | None:
    """Send a message soon, then call `sent` in another thread. Nothing is sent while the broker is gone or too slow.

    That is no loss: the sweep finds the job in the table.
    """
    return _thread.submit(_send, task, job_id, sent) if _places.acquire(blocking=False) else None


def check() -> None:
    """Raise an error when the broker is gone."""
    if not circuit.allows():
        raise ConnectionError("the broker did not answer lately")
    try:
        with celery.connection_for_write() as connection:
            connection.connect()
    except Exception as error:
        circuit.fail(error)
        raise
    circuit.succeed()


def _send(task: Task, job_id: UUID, sent: Callable[[UUID], None]) -> None:
    try:
        if circuit.allows() and _reached(task, job_id):
            sent(job_id)
    except Exception:
        logger.exception("job sent, but not noted", job_id=str(job_id))
    finally:
        _places.release()


def _reached(task: Task, job_id: UUID) -> bool:
    try:
        task.delay(str(job_id))
    except Exception as error:  # noqa: BLE001
        circuit.fail(error)
        return False
    circuit.succeed()
    return True
