import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from signal import SIGKILL
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from kombu import Producer

from app import broker, publisher
from app.celery import celery
from app.environment import BASE_DIR, environment
from app.jobs import tasks
from app.jobs.models import Job
from app.users.models import User
from tests.conftest import client_of
from tests.jobs.test_api import finished

pytestmark = pytest.mark.skipif(environment.broker_url is None, reason="needs a broker")


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def stuck(ada: User) -> Job:
    """A job whose first attempt hangs: it waits for somebody to read what it writes."""
    job = Job.objects.create(owner=ada)
    environment.export_dir.mkdir(parents=True, exist_ok=True)
    os.mkfifo(environment.export_dir / f"{job.id}.1.part")
    return job


def running(job: Job) -> bool:
    job.refresh_from_db()
    return job.status == Job.Status.RUNNING


def outcome(job: Job) -> dict[str, Any]:
    return finished(client_of(job.owner), f"/api/v1/jobs/{job.id}")


def test_what_was_not_sent_is_swept(ada: User) -> None:
    unsent = Job.objects.create(owner=ada, due_at=timezone.now())
    dead = Job.objects.create(owner=ada, due_at=timezone.now(), status=Job.Status.RUNNING, attempts=1)
    fresh = Job.objects.create(owner=ada)
    tasks.sweep()
    assert outcome(unsent)["status"] == "succeeded"
    assert outcome(dead)["status"] == "succeeded"
    fresh.refresh_from_db()
    assert fresh.status == Job.Status.PENDING


def test_what_was_sent_is_not_swept_soon(ada: User) -> None:
    job = Job.objects.create(owner=ada, due_at=timezone.now())
    tasks.sent(job.id)
    tasks.sweep()
    job.refresh_from_db()
    assert (job.status, job.attempts) == (Job.Status.PENDING, 0)
    assert job.due_at > timezone.now()


def test_a_job_survives_its_process(stuck: Job, worker: subprocess.Popen[bytes]) -> None:
    tasks.send(stuck.id)
    until(lambda: running(stuck))
    children = subprocess.check_output(["pgrep", "-P", str(worker.pid)], text=True)  # noqa: S603, S607
    for child in children.split():
        os.kill(int(child), SIGKILL)
    assert outcome(stuck)["status"] == "succeeded"
    stuck.refresh_from_db()
    assert stuck.attempts == 2


def test_a_job_that_takes_too_long_fails(stuck: Job) -> None:
    tasks.run.apply_async((str(stuck.id),), soft_time_limit=1)
    assert outcome(stuck)["result"] == {"error": "SoftTimeLimitExceeded"}


def test_messages_that_nobody_can_run_are_kept(as_ada: Client) -> None:
    task = {"task": tasks.run.name, "id": "1"}
    with celery.connection_for_write() as connection:
        channel = connection.default_channel
        publish = partial(Producer(channel).publish, routing_key=broker.queue("bulk").name)
        publish_json = partial(publish, content_type="application/json", content_encoding="utf-8")
        dead = broker.DEAD(channel)
        dead.declare()
        dead.purge()

        kept = 0

        def all_kept() -> bool:
            nonlocal kept
            kept += dead.get(no_ack=True) is not None
            return kept == 8

        publish_json(b"\xff", headers=task)
        publish_json(b"{", headers=task)
        publish_json(b"null", headers=task)
        publish_json(b"{")
        publish([["1"], {}, {}], headers=task | {"task": "unknown"})
        publish([[], {}, {}], headers=task)
        publish([["no id"], {}, {}], headers=task)
        publish([["1"], {}, {}], headers={"task": tasks.run.name})
        until(all_kept)
    assert finished(as_ada, as_ada.post("/api/v1/exports")["Location"])["status"] == "succeeded"


def forget_connections() -> None:
    celery._after_fork()  # type: ignore[attr-defined]


@pytest.fixture
def silent_broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        scheme = urlsplit(environment.broker_url or "").scheme
        monkeypatch.setenv("CELERY_BROKER_WRITE_URL", f"{scheme}://127.0.0.1:{server.getsockname()[1]}")
        forget_connections()
        yield
    monkeypatch.undo()
    forget_connections()
    publisher.circuit.succeed()


@pytest.mark.usefixtures("silent_broker")
def test_no_request_waits_for_a_broker(as_ada: Client) -> None:
    started = time.monotonic()
    locations = [as_ada.post("/api/v1/exports")["Location"] for _ in range(3)]
    assert time.monotonic() - started < 1
    until(lambda: publisher.circuit.is_open)
    assert as_ada.get("/health/ready").json()["parts"]["broker"] == "down"
    assert all(as_ada.get(location).json()["status"] == "pending" for location in locations)


@pytest.mark.parametrize("process", ["worker", "beat"])
def test_without_a_broker_there_is_nothing_to_do(process: str) -> None:
    command = [str(BASE_DIR / "entrypoint"), process]
    env = os.environ | {"BROKER_URL": "", "DJANGO_SETTINGS_MODULE": "app.settings"}
    ended = subprocess.run(command, env=env, capture_output=True, text=True, check=False)  # noqa: S603
    assert ended.returncode == 1
    assert ended.stderr == "BROKER_URL is not set: the web process runs the jobs itself.\n"
