import os
import signal
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from app.environment import BASE_DIR, environment
from app.items.models import Item
from app.jobs.management.commands import beat, worker
from app.jobs.models import Job
from app.jobs.tasks import run
from app.users.models import User


def test_a_job_that_somebody_else_has_taken_is_left_alone(ada: User) -> None:
    job = Job.objects.create(owner=ada, status=Job.Status.RUNNING)
    run(job.id)
    job.refresh_from_db()
    assert (job.status, job.result) == (Job.Status.RUNNING, None)


def test_a_second_attempt_replaces_the_file_of_the_first(item: Item) -> None:
    job = Job.objects.create(owner=item.owner)
    run(job.id)
    file = environment.export_dir / f"{job.id}.jsonl"
    exported = file.read_bytes()
    file.write_bytes(b"half")
    Job.objects.filter(id=job.id).update(status=Job.Status.PENDING)
    run(job.id)
    assert file.read_bytes() == exported
    assert not list(environment.export_dir.glob(f"{job.id}.part"))


def test_a_failure_is_told(ada: User, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    job = Job.objects.create(owner=ada)
    (environment.export_dir / f"{job.id}.part").mkdir(parents=True)
    run(job.id)
    job.refresh_from_db()
    assert (job.status, job.result) == (Job.Status.FAILED, {"error": "IsADirectoryError"})
    assert job.finished_at
    assert "job failed" in caplog.text


def test_the_worker_runs_the_oldest_job_first(ada: User) -> None:
    first, second = Job.objects.create(owner=ada), Job.objects.create(owner=ada)
    assert worker.run_next() == 0
    assert list(Job.objects.filter(status=Job.Status.PENDING)) == [second]
    assert worker.run_next() == 0
    assert worker.run_next() == 1
    first.refresh_from_db()
    assert first.status == Job.Status.SUCCEEDED


def test_beat_returns_lost_jobs(ada: User) -> None:
    now = timezone.now()
    lost = Job.objects.create(owner=ada, status=Job.Status.RUNNING, started_at=now - timedelta(minutes=16))
    busy = Job.objects.create(owner=ada, status=Job.Status.RUNNING, started_at=now - timedelta(minutes=14))
    beat.return_lost()
    assert list(Job.objects.filter(status=Job.Status.PENDING)) == [lost]
    assert list(Job.objects.filter(status=Job.Status.RUNNING)) == [busy]


def test_the_worker_stops_on_sigterm(ada: User) -> None:
    job = Job.objects.create(owner=ada)
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "app.settings"}
    command = [str(BASE_DIR / "entrypoint"), "worker"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=env) as process:  # noqa: S603
        assert process.stdout
        assert any(str(job.id).encode() in line for line in process.stdout)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
