"""With a broker the jobs run as they do in production: in a worker beside the tests."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest
from sqlalchemy import func, select

from app.database import reading
from app.environment import BASE_DIR, environment
from app.jobs.models import Job
from app.queue import queue

WORKER = [sys.executable, "-m", "app.jobs.commands", "worker", "--concurrency=1"]


class Worker:
    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603
            WORKER, cwd=BASE_DIR, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def kill(self) -> None:
        """Kill every process of it, as a lack of memory would."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@pytest.fixture(scope="package")
def worker(database: None) -> Iterator[Worker | None]:
    if environment.broker_url is None:
        yield None
        return
    worker = Worker()
    yield worker
    worker.kill()


@pytest.fixture
def finished(worker: Worker | None) -> Callable[[], Awaitable[None]]:
    """Waits until every job has run."""
    left = select(func.count()).where(Job.status.in_(["pending", "running"]))

    async def none_is_left() -> bool:
        async with reading() as session:
            return not await session.scalar(left)

    async def wait() -> None:
        await queue.finish()
        await eventually(none_is_left)

    return wait


async def eventually(happens: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + 60
    while not await happens():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
