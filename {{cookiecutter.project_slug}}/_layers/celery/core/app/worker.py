"""The processes that run the jobs: `./entrypoint worker` and `./entrypoint beat`, with Celery's own arguments.

https://docs.celeryq.dev/en/stable/reference/cli.html
"""

import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import structlog
from celery import beat as celery_beat
from celery import bootsteps
from celery.signals import worker_shutting_down
from celery.worker import consumer

from app import broker, publisher
from app.celery import celery
from app.environment import PROJECT, environment

# Touched every few seconds, so that a probe can tell by its age whether the process works.
WORKER_HEARTBEAT = Path(tempfile.gettempdir()) / f"{PROJECT['name']}-worker.heartbeat"
BEAT_HEARTBEAT = WORKER_HEARTBEAT.with_name(f"{PROJECT['name']}-beat.heartbeat")
HEARTBEAT_SECONDS = 5
# Kubernetes kills after 30.
GRACE_SECONDS = 22

logger = structlog.get_logger(__name__)


def worker(arguments: Sequence[str] = ()) -> None:
    """Run jobs until SIGTERM. Later arguments win: `--concurrency=8`, `--queues=bulk`."""
    _run("worker", "--queues=default,bulk", "--concurrency=2", "--without-mingle", "--without-gossip", *arguments)


def beat(arguments: Sequence[str] = ()) -> None:
    """Send what is due by `celery.conf.beat_schedule` until SIGTERM."""
    _run("beat", *arguments)


def _run(*arguments: str) -> None:
    if environment.broker_url is None:
        sys.exit("BROKER_URL is not set: the web process runs the jobs itself.")
    sys.exit(celery.start(["--quiet", *arguments]))


@worker_shutting_down.connect
def return_in_time(**_: object) -> None:
    """After SIGTERM, let running tasks finish, but not for ever: what SIGQUIT stops returns to its queue."""
    signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGQUIT))
    signal.alarm(GRACE_SECONDS)


class Consumer(consumer.Consumer):
    """Celery's, but messages that nobody can run are kept in the queue `dead`: that is where the broker puts them."""

    class Blueprint(consumer.Consumer.Blueprint):  # type: ignore[misc, valid-type]
        # A pause stands in the jobs table; for RabbitMQ, this step would declare dozens of queues that pause.
        default_steps = [  # noqa: RUF012
            step for step in consumer.Consumer.Blueprint.default_steps if "delayed_delivery" not in step
        ]

    def connect(self) -> Any:  # noqa: ANN401
        connection = super().connect()
        broker.DEAD(connection.default_channel).declare()
        return connection

    def create_task_handler(self, *arguments: Any) -> Callable[[Any], None]:  # noqa: ANN401
        handle = super().create_task_handler(*arguments)

        def handle_any(message: Any) -> None:  # noqa: ANN401
            try:
                handle(message)
            except Exception as error:  # noqa: BLE001
                self.bury(message, error)

        return handle_any

    def on_unknown_message(self, body: object, message: Any) -> None:  # noqa: ANN401
        self.bury(message, ValueError("no task"))

    def on_unknown_task(self, body: object, message: Any, exc: Exception) -> None:  # noqa: ANN401
        self.bury(message, exc)

    def on_invalid_task(self, body: object, message: Any, exc: Exception) -> None:  # noqa: ANN401
        self.bury(message, exc)

    def on_decode_error(self, message: Any, exc: Exception) -> None:  # noqa: ANN401
        self.bury(message, exc)

    def bury(self, message: Any, error: Exception) -> None:  # noqa: ANN401
        logger.error("message is dead", error=repr(error))
        if not message.acknowledged:
            message.reject()


class Heartbeat(bootsteps.StartStopStep):
    """Beats while the worker is connected to the broker."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, parent: Any) -> None:  # noqa: ANN401
        WORKER_HEARTBEAT.touch()
        self._timer = parent.timer.call_repeatedly(HEARTBEAT_SECONDS, WORKER_HEARTBEAT.touch)

    def stop(self, parent: Any) -> None:  # noqa: ANN401
        self._timer.cancel()


celery.steps["consumer"].add(Heartbeat)


class Scheduler(celery_beat.Scheduler):
    """Celery's, without a file, and silent about a broker of which the circuit has told."""

    producer = None  # type: ignore[assignment]

    def tick(self, *arguments: Any, **options: Any) -> float:  # noqa: ANN401
        BEAT_HEARTBEAT.touch()
        return min(super().tick(*arguments, **options), HEARTBEAT_SECONDS)

    def apply_entry(self, entry: celery_beat.ScheduleEntry, producer: object = None) -> None:
        if not publisher.circuit.allows():
            return
        try:
            self.apply_async(entry, advance=False)
        except Exception as error:  # noqa: BLE001
            publisher.circuit.fail(error)
        else:
            publisher.circuit.succeed()
