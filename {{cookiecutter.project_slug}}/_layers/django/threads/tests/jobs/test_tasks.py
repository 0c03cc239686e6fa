import os
import signal
import subprocess
from datetime import timedelta

from django.utils import timezone

from app.environment import BASE_DIR
from app.jobs import tasks
from app.jobs.models import Job
from app.users.models import User


def test_the_worker_runs_the_job_that_is_due_the_longest(ada: User) -> None:
    now = timezone.now()
    later = Job.objects.create(owner=ada, due_at=now - timedelta(seconds=1))
    sooner = Job.objects.create(owner=ada, due_at=now - timedelta(seconds=2))
    Job.objects.create(owner=ada)
    assert tasks.run_next() == 0
    sooner.refresh_from_db()
    assert sooner.status == Job.Status.SUCCEEDED
    assert tasks.run_next() == 0
    later.refresh_from_db()
    assert later.status == Job.Status.SUCCEEDED
    assert tasks.run_next() == 1


def test_beat_returns_lost_jobs(ada: User) -> None:
    lost = Job.objects.create(owner=ada, status=Job.Status.RUNNING, due_at=timezone.now())
    busy = Job.objects.create(owner=ada, status=Job.Status.RUNNING)
    tasks.sweep()
    assert list(Job.objects.filter(status=Job.Status.PENDING)) == [lost]
    assert list(Job.objects.filter(status=Job.Status.RUNNING)) == [busy]


def test_the_worker_stops_on_sigterm(ada: User) -> None:
    job = Job.objects.create(owner=ada, due_at=timezone.now())
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "app.settings"}
    command = [str(BASE_DIR / "entrypoint"), "worker"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=env) as process:  # noqa: S603
        assert process.stdout
        assert any(str(job.id).encode() in line for line in process.stdout)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
