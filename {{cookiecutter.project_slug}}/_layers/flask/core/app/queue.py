"""Background jobs, run by threads of the process that takes them on."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Timer
from uuid import UUID

from flask import Flask
from structlog import get_logger

logger = get_logger(__name__)

# Gives the seconds after which to run it again, or nothing when it is done.
type Task = Callable[[UUID], float | None]


class Queue:
    def init_app(self, app: Flask) -> None:
        self.app = app
        # Python waits for these threads before it exits.
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="jobs")

    def send(self, task: Task, job_id: UUID) -> None:
        """Run the task in the background. The job's row must be committed."""
        self._pool.submit(self._run, task, job_id)

    def _run(self, task: Task, job_id: UUID) -> None:
        with self.app.app_context():
            try:
                pause = task(job_id)
            except Exception:
                logger.exception("job lost", job_id=str(job_id))
                return
        if pause is not None:
            self._send_later(pause, task, job_id)

    def _send_later(self, pause: float, task: Task, job_id: UUID) -> None:
        timer = Timer(pause, self.send, (task, job_id))
        # Python does not wait for this one: another process may run the job.
        timer.daemon = True
        timer.start()


queue = Queue()
