import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from app.database import reading, writing
from app.environment import environment
from app.items.models import Item
from app.jobs import tasks
from app.jobs.commands import sweep, work
from app.jobs.models import Job
from app.users.models import User


async def new_job(owner: User, status: str = "pending", minutes: int = 0) -> Job:
    """A job of the owner, running for so many minutes."""
    async with writing.begin() as session:
        job = Job(owner_id=owner.id, status=status, started_at=datetime.now(UTC) - timedelta(minutes=minutes))
        session.add(job)
    return job


async def stored(job: Job) -> Job:
    async with reading() as session:
        return await session.get_one(Job, job.id)


async def test_a_job_runs_once(user: User, caplog: pytest.LogCaptureFixture) -> None:
    job = await new_job(user)
    await asyncio.gather(*(tasks.run(job.id) for _ in range(5)))
    assert (await stored(job)).status == "succeeded"
    assert caplog.text.count("job started") == 1


async def test_a_job_that_runs_again_gives_the_same(user: User) -> None:
    job = await new_job(user)
    environment.export_dir.mkdir(parents=True, exist_ok=True)
    file = environment.export_dir / f"{job.id}.jsonl"
    file.write_text("half of an earlier attempt")
    await tasks.run(job.id)
    assert (await stored(job)).result == {"file": file.name, "items": 0, "bytes": 0}
    assert file.read_bytes() == b""
    assert [path.name for path in environment.export_dir.iterdir() if path.name.startswith(".")] == []


async def test_an_export_of_several_batches_has_every_item_once(user: User) -> None:
    async with writing.begin() as session:
        session.add_all(Item(title=str(number), body="", owner_id=user.id) for number in range(2 * tasks.BATCH + 1))
    job = await new_job(user)
    await tasks.run(job.id)
    lines = (environment.export_dir / f"{job.id}.jsonl").read_text().splitlines()
    assert [json.loads(line)["title"] for line in lines] == [str(number) for number in range(2 * tasks.BATCH + 1)]


async def test_a_job_that_fails_says_why(user: User) -> None:
    job = await new_job(user)
    # A folder stands where the file should be.
    (environment.export_dir / f"{job.id}.jsonl" / "in the way").mkdir(parents=True)
    await tasks.run(job.id)
    failed = await stored(job)
    assert (failed.status, failed.result) == ("failed", {"error": "IsADirectoryError"})
    assert failed.finished_at


async def test_the_worker_runs_what_is_pending(user: User) -> None:
    jobs = [await new_job(user) for _ in range(2)]
    running = await new_job(user, "running")
    assert [await work() for _ in range(3)] == [0, 0, 1]
    assert [(await stored(job)).status for job in (*jobs, running)] == ["succeeded", "succeeded", "running"]


async def test_beat_returns_what_has_been_running_too_long(user: User) -> None:
    jobs = [await new_job(user, "running", minutes) for minutes in (14, 16)]
    assert await sweep() == 30
    assert [(await stored(job)).status for job in jobs] == ["running", "pending"]
