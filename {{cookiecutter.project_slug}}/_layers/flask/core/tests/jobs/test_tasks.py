import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from apiflask import APIFlask

from app.database import db, transaction
from app.environment import environment
from app.jobs import commands, tasks
from app.jobs.models import Job
from app.users.models import User


def new_job(app: APIFlask, user: User, **fields: object) -> UUID:
    job = Job(owner_id=user.id, **fields)
    with app.app_context(), transaction():
        db.session.add(job)
    return job.id


def stored(app: APIFlask, job_id: UUID) -> Job:
    with app.app_context():
        return db.session.get_one(Job, job_id)


def test_the_worker_runs_what_is_pending(app: APIFlask, user: User) -> None:
    first, second = new_job(app, user), new_job(app, user)
    with app.app_context():
        assert [commands.work(), commands.work(), commands.work()] == [0, 0, 1]
    assert {stored(app, job).status for job in (first, second)} == {"succeeded"}


def test_one_of_many_runners_runs_a_job(app: APIFlask, user: User, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    job_id = new_job(app, user)

    def run(_: int) -> None:
        with app.app_context():
            tasks.run(job_id)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    assert [record.msg["event"] for record in caplog.records if isinstance(record.msg, dict)].count("job started") == 1


def test_a_failure(app: APIFlask, user: User) -> None:
    job_id = new_job(app, user)
    # A folder stands where the file belongs.
    in_the_way = environment.export_dir / f"{job_id}.jsonl"
    in_the_way.mkdir(parents=True)
    with app.app_context():
        tasks.run(job_id)
    job = stored(app, job_id)
    assert (job.status, job.result) == ("failed", {"error": "IsADirectoryError"})
    assert job.finished_at
    assert not list(Path(environment.export_dir).glob(".*"))


def test_an_earlier_attempts_file_is_overwritten(app: APIFlask, user: User) -> None:
    job_id = new_job(app, user)
    environment.export_dir.mkdir(parents=True, exist_ok=True)
    file = environment.export_dir / f"{job_id}.jsonl"
    file.write_text("half an attempt")
    with app.app_context():
        tasks.run(job_id)
    assert file.read_text() == ""
    assert stored(app, job_id).result == {"file": file.name, "items": 0, "bytes": 0}


def test_lost_jobs_are_returned(app: APIFlask, user: User) -> None:
    now = datetime.now(UTC)
    lost = new_job(app, user, status="running", started_at=now - timedelta(minutes=16))
    busy = new_job(app, user, status="running", started_at=now - timedelta(minutes=14))
    with app.app_context():
        assert commands.sweep() == 30
    assert stored(app, lost).status == "pending"
    assert stored(app, busy).status == "running"


def test_a_process_stops_after_its_step(app: APIFlask) -> None:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    steps = []

    def step() -> float:
        signal.raise_signal(signal.SIGTERM)
        steps.append("finished")
        return 60

    with app.app_context():
        commands.repeat(step)
    for number, handler in handlers.items():
        signal.signal(number, handler)
    assert steps == ["finished"]
