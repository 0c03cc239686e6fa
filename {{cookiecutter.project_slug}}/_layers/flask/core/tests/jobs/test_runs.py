import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from apiflask import APIFlask
from sqlalchemy import insert

from app.database import db, transaction
from app.environment import environment
from app.items.models import Item
from app.jobs import exports, runs
from app.jobs.models import Job
from app.users.models import User

type Work = Callable[[Job, Callable[[], None]], dict[str, Any]]


def new_job(app: APIFlask, user: User, **fields: object) -> UUID:
    job = Job(owner_id=user.id, **fields)
    with app.app_context(), transaction():
        db.session.add(job)
    return job.id


def new_items(app: APIFlask, user: User, number: int) -> None:
    with app.app_context(), transaction():
        db.session.execute(insert(Item), [{"title": str(n), "body": "", "owner_id": user.id} for n in range(number)])


def stored(app: APIFlask, job_id: UUID) -> Job:
    with app.app_context():
        return db.session.get_one(Job, job_id)


def run(app: APIFlask, job_id: UUID, *, again: bool = False) -> float | None:
    with app.app_context():
        return runs.run(job_id, again=again)


def seconds_until(moment: datetime) -> float:
    return (moment - datetime.now(UTC)).total_seconds()


def test_a_job_runs_once(app: APIFlask, user: User, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    job_id = new_job(app, user)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: run(app, job_id), range(4)))
    assert ((done := stored(app, job_id)).status, done.attempts) == ("succeeded", 1)
    assert [record.msg["event"] for record in caplog.records if isinstance(record.msg, dict)].count("job started") == 1


def test_an_earlier_attempts_file_is_overwritten(app: APIFlask, user: User) -> None:
    job_id = new_job(app, user)
    environment.export_dir.mkdir(parents=True, exist_ok=True)
    file = environment.export_dir / f"{job_id}.jsonl"
    file.write_text("half an attempt")
    run(app, job_id)
    assert file.read_text() == ""
    assert stored(app, job_id).result == {"file": file.name, "items": 0, "bytes": 0}


def test_an_export_of_several_batches_has_every_item_once(app: APIFlask, user: User) -> None:
    new_items(app, user, 2 * exports.BATCH + 1)
    job_id = new_job(app, user)
    run(app, job_id)
    lines = (environment.export_dir / f"{job_id}.jsonl").read_text().splitlines()
    assert [json.loads(line)["title"] for line in lines] == [str(title) for title in range(2 * exports.BATCH + 1)]


def test_what_may_be_better_soon_is_tried_five_times(app: APIFlask, user: User) -> None:
    job_id = new_job(app, user)
    # A folder stands where the file belongs.
    (environment.export_dir / f"{job_id}.jsonl").mkdir(parents=True)
    for attempt in range(1, runs.ATTEMPTS):
        pause = run(app, job_id)
        assert pause
        assert 1 <= pause <= 2**attempt
        waiting = stored(app, job_id)
        assert (waiting.status, waiting.attempts) == ("pending", attempt)
        assert abs(seconds_until(waiting.due_at) - pause) < 1
    assert run(app, job_id) is None
    failed = stored(app, job_id)
    assert (failed.status, failed.result) == ("failed", {"error": "IsADirectoryError"})
    assert failed.finished_at
    assert not list(environment.export_dir.glob(".*"))


def test_another_error_is_final_and_named(app: APIFlask, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Job, __: Callable[[], None]) -> dict[str, Any]:
        raise ValueError

    monkeypatch.setattr(runs, "export", broken)
    job_id = new_job(app, user)
    assert run(app, job_id) is None
    assert ((failed := stored(app, job_id)).status, failed.result) == ("failed", {"error": "ValueError"})


def test_only_a_message_that_came_back_runs_a_running_job(app: APIFlask, user: User) -> None:
    job_id = new_job(app, user, status="running", attempts=1)
    run(app, job_id)
    assert stored(app, job_id).status == "running"
    run(app, job_id, again=True)
    assert ((done := stored(app, job_id)).status, done.attempts) == ("succeeded", 2)


def test_a_job_whose_processes_died_is_given_up(app: APIFlask, user: User) -> None:
    job_id = new_job(app, user, status="running", attempts=runs.ATTEMPTS)
    run(app, job_id, again=True)
    assert ((failed := stored(app, job_id)).status, failed.result) == ("failed", {"error": "WorkerLostError"})


def test_a_running_job_says_that_it_lives(app: APIFlask, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    late = datetime.now(UTC) - timedelta(seconds=1)

    def slow(job: Job, alive: Callable[[], None]) -> dict[str, Any]:
        with app.app_context(), transaction():
            db.session.get_one(Job, job.id).due_at = late
        return exports.export(job, alive)

    monkeypatch.setattr(runs, "RENEW_SECONDS", 0)
    monkeypatch.setattr(runs, "export", slow)
    new_items(app, user, 1)
    job_id = new_job(app, user)
    run(app, job_id)
    assert seconds_until(stored(app, job_id).due_at) > 25


@pytest.mark.parametrize("renew_seconds", [0, 5])
def test_who_comes_too_late_changes_nothing(
    app: APIFlask, user: User, monkeypatch: pytest.MonkeyPatch, renew_seconds: int
) -> None:
    def overtaken(job: Job, alive: Callable[[], None]) -> dict[str, Any]:
        monkeypatch.setattr(runs, "export", exports.export)
        run(app, job.id, again=True)
        alive()
        raise OSError

    monkeypatch.setattr(runs, "RENEW_SECONDS", renew_seconds)
    monkeypatch.setattr(runs, "export", overtaken)
    job_id = new_job(app, user)
    run(app, job_id)
    assert ((done := stored(app, job_id)).status, done.attempts) == ("succeeded", 2)
