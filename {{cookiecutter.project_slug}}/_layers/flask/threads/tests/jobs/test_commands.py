import signal
import time
from datetime import UTC, datetime, timedelta

import pytest
from apiflask import APIFlask

from app.environment import environment
from app.jobs import commands, runs, tasks
from app.users.models import User
from tests.jobs.test_runs import new_job, stored

LATER = datetime.now(UTC) + timedelta(minutes=5)
EARLIER = datetime.now(UTC) - timedelta(minutes=5)


def test_the_worker_runs_what_is_due(app: APIFlask, user: User) -> None:
    jobs = [new_job(app, user, due_at=EARLIER) for _ in range(2)]
    others = [new_job(app, user, due_at=LATER), new_job(app, user, due_at=EARLIER, status="running")]
    with app.app_context():
        assert [commands.work() for _ in range(3)] == [0, 0, 1]
    statuses = [stored(app, job).status for job in jobs + others]
    assert statuses == ["succeeded", "succeeded", "pending", "running"]


def test_beat_returns_what_nobody_hears_of(app: APIFlask, user: User) -> None:
    jobs = [new_job(app, user, status="running", due_at=due_at) for due_at in (LATER, EARLIER)]
    with app.app_context():
        assert commands.sweep() == 5
    assert [stored(app, job).status for job in jobs] == ["running", "pending"]


def test_what_was_postponed_runs_by_itself(app: APIFlask, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda *_: 0.05)
    job_id = new_job(app, user)
    # A folder stands where the file belongs.
    in_the_way = environment.export_dir / f"{job_id}.jsonl"
    in_the_way.mkdir(parents=True)
    tasks.send(job_id)
    deadline = time.monotonic() + 5
    while (job := stored(app, job_id)).status != "failed" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (job.result, job.attempts) == ({"error": "IsADirectoryError"}, runs.ATTEMPTS)


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
