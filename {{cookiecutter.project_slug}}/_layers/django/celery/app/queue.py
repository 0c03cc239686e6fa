"""The broker, which hands jobs to the workers."""

from collections.abc import Callable
from uuid import UUID

from django.db import connection, transaction

from app import health, publisher
from app.celery import Task
from app.environment import environment

if environment.broker_url:
    health.CHECKS["broker"] = publisher.check


def send(task: Task, job_id: UUID, sent: Callable[[UUID], None]) -> None:
    """Send a message as soon as the current transaction is committed, and call `sent` when the broker has it."""

    def note(job_id: UUID) -> None:
        try:
            sent(job_id)
        finally:
            connection.close()

    transaction.on_commit(lambda: publisher.send(task, job_id, note))
