import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from apiflask import APIFlask
from celery.exceptions import SoftTimeLimitExceeded
from flask.testing import FlaskClient

from app import publisher
from app.database import db, transaction
from app.jobs import runs, tasks
from app.jobs.models import Job
from app.users.models import User
from tests.conftest import Headers
from tests.jobs.conftest import Process
from tests.jobs.test_api import finished
from tests.jobs.test_runs import new_items, new_job, seconds_until, stored
from tests.servers import Program

EARLIER = datetime.now(UTC) - timedelta(minutes=5)


def wait(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_was_sent_is_left_to_the_workers(app: APIFlask, user: User) -> None:
    job_id = new_job(app, user, due_at=EARLIER)
    tasks.leave_to_workers(job_id)
    assert 25 < seconds_until(stored(app, job_id).due_at) < 31


def test_of_two_sweeps_one_takes_a_job_on(app: APIFlask, user: User) -> None:
    due = {new_job(app, user, due_at=EARLIER, status=status) for status in ("pending", "running") for _ in range(20)}
    for status in ("succeeded", "failed"):
        new_job(app, user, due_at=EARLIER, status=status)
    new_job(app, user, status="running")

    def overdue(_: int) -> list[UUID]:
        with app.app_context():
            return tasks.overdue()

    with ThreadPoolExecutor(4) as pool:
        taken = [job_id for job_ids in pool.map(overdue, range(4)) for job_id in job_ids]
    assert sorted(taken) == sorted(due)
    assert {stored(app, job_id).status for job_id in due} == {"pending"}


def test_a_job_ends_when_its_time_is_up(app: APIFlask, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def time_is_up(*_: object) -> None:
        raise SoftTimeLimitExceeded

    def endless(_: Job, alive: Callable[[], None]) -> dict[str, Any]:
        while True:
            # What is raised here would be taken for an error of the data.
            with suppress(SoftTimeLimitExceeded):
                signal.raise_signal(signal.SIGUSR1)
            alive()

    monkeypatch.setattr(runs, "export", endless)
    job_id = new_job(app, user)
    handler = signal.signal(signal.SIGUSR1, time_is_up)
    tasks.run(str(job_id))
    signal.signal(signal.SIGUSR1, handler)
    assert ((failed := stored(app, job_id)).status, failed.result) == ("failed", {"error": "SoftTimeLimitExceeded"})


def test_beat_has_sent_what_nobody_runs(app: APIFlask, user: User, worker: Process) -> None:
    jobs = [new_job(app, user, due_at=EARLIER, status=status) for status in ("pending", "running")]
    beat = Process("beat")
    beat.start()
    wait(lambda: all(stored(app, job_id).status == "succeeded" for job_id in jobs))
    assert beat.stop() == 0


def test_a_job_runs_again_when_its_process_is_killed(app: APIFlask, user: User, worker: Process) -> None:
    new_items(app, user, 20_000)
    tasks.send(job_id := new_job(app, user))
    wait(lambda: stored(app, job_id).status == "running")
    for child in worker.children():
        os.kill(child, signal.SIGKILL)
    wait(lambda: stored(app, job_id).status == "succeeded")
    assert stored(app, job_id).attempts == 2


def test_a_job_runs_again_when_its_worker_is_killed(app: APIFlask, user: User, worker: Process) -> None:
    new_items(app, user, 20_000)
    tasks.send(job_id := new_job(app, user))
    wait(lambda: stored(app, job_id).status == "running")
    worker.kill()
    worker.start()
    # RabbitMQ has noticed by itself. For Redis time must pass.
    with app.app_context(), transaction():
        db.session.get_one(Job, job_id).due_at = EARLIER
    tasks.sweep()
    wait(lambda: stored(app, job_id).status == "succeeded")
    assert stored(app, job_id).attempts >= 2


def test_a_silent_broker_is_not_waited_for(
    app: APIFlask, client: FlaskClient, headers: Headers, worker: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "broker_url" not in Program.started:
        pytest.skip("needs a broker of the tests' own")
    monkeypatch.setattr(publisher.circuit, "_pause", 0.1)
    with Program.started["broker_url"].frozen():
        begun = time.monotonic()
        jobs = [client.post("/api/v1/exports", headers=headers) for _ in range(20)]
        assert time.monotonic() - begun < 1
        assert {job.status_code for job in jobs} == {202}
        wait(lambda: publisher.circuit.is_open)
        statuses = {client.get(job.headers["Location"], headers=headers).get_json()["status"] for job in jobs}
        assert statuses == {"pending"}
        ready = client.get("/health/ready")
        assert (ready.status_code, ready.get_json()["parts"]["broker"]) == (200, "down")
    wait(lambda: client.get("/health/ready").get_json()["parts"]["broker"] == "ok")
    with app.app_context(), transaction():
        for job in jobs:
            db.session.get_one(Job, UUID(job.get_json()["id"])).due_at = EARLIER
    tasks.sweep()
    for job in jobs:
        assert finished(client, job.headers["Location"], headers)["status"] == "succeeded"
