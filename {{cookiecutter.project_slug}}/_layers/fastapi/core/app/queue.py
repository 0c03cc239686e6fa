"""Background jobs, run by tasks of this process."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

from structlog import get_logger

logger = get_logger(__name__)

# Gives the seconds after which to run it again, or nothing when it is done.
type Task = Callable[[UUID], Awaitable[float | None]]


class Queue:
    def __init__(self, at_once: int) -> None:
        # The event loop itself keeps only weak references.
        self._tasks: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(at_once)

    def send(self, task: Task, job_id: UUID) -> None:
        """Run the task in the background. The job's row must be committed."""
        running = asyncio.create_task(self._run(task, job_id))
        self._tasks.add(running)
        running.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Wait until every job that was sent has run. What is to run again later is left to another process."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _run(self, task: Task, job_id: UUID) -> None:
        async with self._places:
            try:
                pause = await task(job_id)
            except Exception:
                logger.exception("background task failed", job_id=str(job_id))
                return
        if pause is not None:
            asyncio.get_running_loop().call_later(pause, self.send, task, job_id)


queue = Queue(at_once=2)
