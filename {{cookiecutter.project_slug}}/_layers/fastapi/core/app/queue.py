"""Background jobs, run by tasks of this process."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

from structlog import get_logger

logger = get_logger(__name__)


class Queue:
    def __init__(self, at_once: int) -> None:
        # The event loop itself keeps only weak references.
        self._tasks: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(at_once)

    def send(self, task: Callable[[UUID], Awaitable[None]], job_id: UUID) -> None:
        """Run the task in the background. The job's row must be committed."""
        running = asyncio.create_task(self._run(task, job_id))
        self._tasks.add(running)
        running.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Wait until every job that was sent has run."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _run(self, task: Callable[[UUID], Awaitable[None]], job_id: UUID) -> None:
        async with self._places:
            try:
                await task(job_id)
            except Exception:
                logger.exception("job lost", job_id=str(job_id))


queue = Queue(at_once=2)
