import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.database import reading, writing
from app.environment import environment
from app.items.models import Item
from app.jobs import exports, runs
from app.jobs.models import Job
from app.users.models import User


async def new_job(owner: User, **values: Any) -> Job:  # noqa: ANN401
    async with writing.begin() as session:
        job = Job(owner_id=owner.id, **values)
        session.add(job)
    return job


async def stored(job: Job) -> Job:
    async with reading() as session:
        return await session.get_one(Job, job.id)


def seconds_until(moment: datetime) -> float:
    return (moment - datetime.now(UTC)).total_seconds()


async def test_a_job_runs_once(user: User, caplog: pytest.LogCaptureFixture) -> None:
    job = await new_job(user)
    await asyncio.gather(*(runs.run(job.id) for _ in range(5)))
    assert ((done := await stored(job)).status, done.attempts) == ("succeeded", 1)
    assert caplog.text.count("job started") == 1


async def test_a_job_that_runs_again_gives_the_same(user: User) -> None:
    job = await new_job(user)
    environment.export_dir.mkdir(parents=True, exist_ok=True)
    file = environment.export_dir / f"{job.id}.jsonl"
    file.write_text("half of an earlier attempt")
    await runs.run(job.id)
    assert (await stored(job)).result == {"file": file.name, "items": 0, "bytes": 0}
    assert file.read_bytes() == b""
    assert [path.name for path in environment.export_dir.iterdir() if path.name.startswith(".")] == []


async def test_an_export_of_several_batches_has_every_item_once(user: User) -> None:
    async with writing.begin() as session:
        session.add_all(Item(title=str(number), body="", owner_id=user.id) for number in range(2 * exports.BATCH + 1))
    job = await new_job(user)
    await runs.run(job.id)
    lines = (environment.export_dir / f"{job.id}.jsonl").read_text().splitlines()
    assert [json.loads(line)["title"] for line in lines] == [str(number) for number in range(2 * exports.BATCH + 1)]


async def test_what_may_be_better_soon_is_tried_five_times(user: User) -> None:
    job = await new_job(user)
    # A folder stands where the file should be.
    (environment.export_dir / f"{job.id}.jsonl" / "in the way").mkdir(parents=True)
    for attempt in range(1, runs.ATTEMPTS):
        pause = await runs.run(job.id)
        assert pause
        assert 1 <= pause <= 2**attempt
        waiting = await stored(job)
        assert (waiting.status, waiting.attempts) == ("pending", attempt)
        assert abs(seconds_until(waiting.due_at) - pause) < 1
    assert await runs.run(job.id) is None
    failed = await stored(job)
    assert (failed.status, failed.result) == ("failed", {"error": "IsADirectoryError"})
    assert failed.finished_at


async def test_another_error_is_final_and_named(user: User) -> None:
    @asynccontextmanager
    async def broken() -> AsyncIterator[None]:
        yield
        raise ValueError

    job = await new_job(user)
    assert await runs.run(job.id, limit=broken()) is None
    assert ((failed := await stored(job)).status, failed.result) == ("failed", {"error": "ValueError"})


async def test_only_a_message_that_came_back_runs_a_running_job(user: User) -> None:
    job = await new_job(user, status="running", attempts=1)
    await runs.run(job.id)
    assert (await stored(job)).status == "running"
    await runs.run(job.id, again=True)
    assert ((done := await stored(job)).status, done.attempts) == ("succeeded", 2)


async def test_a_job_whose_processes_died_is_given_up(user: User) -> None:
    job = await new_job(user, status="running", attempts=runs.ATTEMPTS)
    await runs.run(job.id, again=True)
    assert ((failed := await stored(job)).status, failed.result) == ("failed", {"error": "WorkerLostError"})


async def test_a_running_job_says_that_it_lives(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "RENEW_SECONDS", 0)
    job = await new_job(user)
    async with writing.begin() as session:
        session.add_all(Item(title="Tea", body="", owner_id=user.id) for _ in range(2))

    @asynccontextmanager
    async def silent() -> AsyncIterator[None]:
        async with writing.begin() as session:
            (await session.get_one(Job, job.id)).due_at = datetime.now(UTC) - timedelta(seconds=1)
        yield

    await runs.run(job.id, limit=silent())
    assert seconds_until((await stored(job)).due_at) > 25


async def test_who_comes_too_late_changes_nothing(user: User) -> None:
    @asynccontextmanager
    async def handed_out_again() -> AsyncIterator[None]:
        yield
        await runs.run(job.id, again=True)
        raise OSError

    job = await new_job(user)
    await runs.run(job.id, limit=handed_out_again())
    assert ((done := await stored(job)).status, done.attempts) == ("succeeded", 2)
