import asyncio
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from httpx import AsyncClient
from sqlalchemy import text, update

from app import publisher
from app.database import writing
from app.environment import BASE_DIR, environment
from app.jobs import runs, tasks
from app.jobs.models import Job
from app.users.models import User
from tests.conftest import Headers, on_postgresql
from tests.jobs.conftest import WORKER, Worker, eventually
from tests.jobs.test_runs import new_job, seconds_until, stored
from tests.servers import Program

LATER = datetime.now(UTC) + timedelta(minutes=5)
EARLIER = datetime.now(UTC) - timedelta(minutes=5)

type Finished = Callable[[], Awaitable[None]]

with_broker = pytest.mark.skipif(environment.broker_url is None, reason="needs a broker")


async def test_what_is_overdue_is_handed_out_once(user: User) -> None:
    jobs = [await new_job(user, status=status, due_at=EARLIER) for status in ("pending", "running")]
    for status, due_at in (("pending", LATER), ("running", LATER), ("succeeded", EARLIER), ("failed", EARLIER)):
        await new_job(user, status=status, due_at=due_at)
    sweeps = await asyncio.gather(*(tasks.overdue() for _ in range(4)))
    assert sorted(job_id for sweep in sweeps for job_id in sweep) == [job.id for job in jobs]
    for job in jobs:
        assert (handed_out := await stored(job)).status == "pending"
        assert seconds_until(handed_out.due_at) > 25


async def test_what_was_sent_is_left_to_the_workers(user: User) -> None:
    jobs = [await new_job(user), await new_job(user, attempts=1), await new_job(user, status="running")]
    for job in jobs:
        await tasks.leave_to_workers(job.id)
    assert [seconds_until((await stored(job)).due_at) > 25 for job in jobs] == [True, False, False]


@with_broker
async def test_the_sweep_sends_what_was_never_sent(user: User, finished: Finished) -> None:
    job = await new_job(user, due_at=EARLIER)
    tasks.sweep.delay()
    await finished()
    assert (await stored(job)).status == "succeeded"


@with_broker
@on_postgresql
async def test_the_job_of_a_killed_worker_runs_again(user: User, worker: Worker, finished: Finished) -> None:
    job = await new_job(user)

    async def runs() -> bool:
        return (await stored(job)).status == "running"

    async with writing() as session:
        await session.execute(text("LOCK TABLE items"))
        tasks.send(job.id)
        await eventually(runs)
        worker.kill()
    worker.start()
    # Half a minute later.
    async with writing.begin() as session:
        (await session.get_one(Job, job.id)).due_at = EARLIER
    tasks.sweep.delay()
    await finished()
    assert ((done := await stored(job)).status, done.attempts) == ("succeeded", 2)


@pytest.mark.skipif("broker_url" not in Program.started, reason="needs a broker of its own")
async def test_nobody_waits_for_a_broker_that_is_frozen(
    client: AsyncClient, headers: Headers, user: User, finished: Finished
) -> None:
    async def parts() -> dict[str, str]:
        parts: dict[str, str] = (await client.get("/health/ready")).json()["parts"]
        return parts

    async def is_known() -> bool:
        return publisher.circuit.is_open

    async def is_back() -> bool:
        tasks.send((await new_job(user)).id)
        return not publisher.circuit.is_open

    assert (await parts())["broker"] == "ok"
    slowest = 0.0
    with Program.started["broker_url"].frozen():
        for _ in range(20):
            begun = time.monotonic()
            assert (await client.post("/api/v1/exports", headers=headers)).status_code == 202
            slowest = max(slowest, time.monotonic() - begun)
        await eventually(is_known)
        assert (await parts())["broker"] == "down"
    assert slowest < 0.5
    await eventually(is_back)
    # Five seconds later.
    async with writing.begin() as session:
        await session.execute(update(Job).values(due_at=EARLIER))
    tasks.sweep.delay()
    await finished()


async def test_a_job_that_takes_too_long_fails(user: User) -> None:
    @asynccontextmanager
    async def slow() -> AsyncIterator[None]:
        async with tasks.soft_time_limit():
            yield
            os.kill(os.getpid(), signal.SIGUSR1)
            await asyncio.sleep(10)

    job = await new_job(user)
    await runs.run(job.id, limit=slow())
    assert ((failed := await stored(job)).status, failed.result) == ("failed", {"error": "SoftTimeLimitExceeded"})


def test_a_worker_without_a_broker_says_so() -> None:
    done = subprocess.run(  # noqa: S603
        WORKER, cwd=BASE_DIR, env=os.environ | {"BROKER_URL": ""}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "BROKER_URL is not set" in done.stderr
