"""Background jobs, run by threads of this process."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from flask import Flask
from structlog import get_logger

logger = get_logger(__name__)


class Queue:
    def init_app(self, app: Flask) -> None:
        self._app = app
        # Python waits for these threads before it exits.
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="jobs")

    def send(self, task: Callable[[UUID], None], job_id: UUID) -> None:
        """Run the task in the background. The job's row must be committed."""
        self._pool.submit(self._run, task, job_id)

    def _run(self, task: Callable[[UUID], None], job_id: UUID) -> None:
        with self._app.app_context():
            try:
                task(job_id)
            except Exception:
                logger.exception("job lost", job_id=str(job_id))


queue = Queue()
