"""Celery, which hands background jobs to the workers through a broker: https://docs.celeryq.dev

Tasks stand in app/jobs/tasks.py, decorated with `@celery.task`. They are sent to the queue `default`, unless
`celery.conf.task_routes` says `bulk`. Their arguments travel as JSON. A message that cannot be read, that names no task
or whose task raises an exception ends in the queue `dead`, for a person to look at.
"""

from typing import Any

from celery import Celery
from celery import Task as CeleryTask
from celery.signals import setup_logging

from app import broker, logs
from app.environment import PROJECT, environment

# A broker that answers later counts as gone.
ANSWER_SECONDS = 1


class Task(CeleryTask[..., Any]):
    def apply_async(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        """Send a message; raises an error when the broker does not confirm it in time."""
        limits = {"timeout": ANSWER_SECONDS, "confirm_timeout": ANSWER_SECONDS}
        return super().apply_async(*arguments, **limits | options)


celery = Celery(PROJECT["name"], task_cls=Task, include=["app.jobs.tasks"])
# https://docs.celeryq.dev/en/stable/userguide/configuration.html
celery.conf.update(
    broker_url=environment.broker_url,
    broker_transport=broker.TRANSPORT,
    broker_transport_options=broker.TRANSPORT_OPTIONS,
    broker_use_ssl=broker.TLS,
    broker_connection_timeout=ANSWER_SECONDS,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_heartbeat=10,
    # Who publishes does not wait; once more, because the first try may find a connection that is closed.
    task_publish_retry_policy={"max_retries": 1, "interval_start": 0},
    task_queues=[broker.queue("default"), broker.queue("bulk")],
    task_default_queue="default",
    task_create_missing_queues=False,
    task_serializer="json",
    accept_content=["json"],
    # The jobs table holds what came out.
    task_ignore_result=True,
    # A task that loses its process runs again.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    # One that fails by itself does not: it is dead.
    task_acks_on_failure=False,
    task_acks_on_timeout=True,
    task_soft_time_limit=240,
    task_time_limit=300,
    worker_prefetch_multiplier=1,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_consumer="app.worker:Consumer",
    worker_enable_remote_control=False,
    worker_redirect_stdouts=False,
    beat_scheduler="app.worker:Scheduler",
    beat_max_loop_interval=5,
)


@setup_logging.connect
def configure_logs(**_: object) -> None:
    logs.configure()
