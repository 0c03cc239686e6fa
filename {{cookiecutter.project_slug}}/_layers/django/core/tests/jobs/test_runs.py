from datetime import timedelta

import pytest
from django.utils import timezone

from app.environment import environment
from app.items.models import Item
from app.jobs import runs
from app.jobs.models import Job
from app.users.models import User


def test_a_job_that_somebody_else_has_taken_is_left_alone(ada: User) -> None:
    job = Job.objects.create(owner=ada, status=Job.Status.RUNNING)
    assert runs.run(job.id) is None
    job.refresh_from_db()
    assert (job.status, job.result, job.attempts) == (Job.Status.RUNNING, None, 0)


def test_a_job_whose_process_has_died_runs_again(ada: User) -> None:
    job = Job.objects.create(owner=ada, status=Job.Status.RUNNING, attempts=1)
    runs.run(job.id, again=True)
    job.refresh_from_db()
    assert (job.status, job.attempts) == (Job.Status.SUCCEEDED, 2)


def test_a_finished_job_does_not_run_again(ada: User) -> None:
    job = Job.objects.create(owner=ada, status=Job.Status.SUCCEEDED)
    runs.run(job.id, again=True)
    job.refresh_from_db()
    assert job.attempts == 0


def test_a_job_that_kills_its_processes_is_given_up(ada: User) -> None:
    job = Job.objects.create(owner=ada, attempts=runs.ATTEMPTS)
    runs.run(job.id)
    job.refresh_from_db()
    assert (job.status, job.result) == (Job.Status.FAILED, {"error": "RuntimeError"})


def test_who_was_taken_for_dead_does_not_answer_for_the_job(ada: User) -> None:
    job = Job.objects.create(owner=ada)
    first = runs.claim(job.id, again=False)
    second = runs.claim(job.id, again=True)
    assert first
    assert second
    runs.finish(first, Job.Status.FAILED, {})
    job.refresh_from_db()
    assert (job.status, job.finished_at) == (Job.Status.RUNNING, None)
    runs.finish(second, Job.Status.SUCCEEDED, {})
    job.refresh_from_db()
    assert job.status == Job.Status.SUCCEEDED


def test_a_running_job_says_that_it_lives(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    job = Job.objects.create(owner=ada, status=Job.Status.RUNNING, due_at=timezone.now())
    renew = runs.renewal(job)
    renew()
    job.refresh_from_db()
    assert job.due_at < timezone.now()
    monkeypatch.setattr(runs, "RENEW_SECONDS", 0)
    renew()
    job.refresh_from_db()
    assert job.due_at > timezone.now() + timedelta(seconds=25)


def test_a_second_attempt_replaces_the_file_of_the_first(item: Item) -> None:
    job = Job.objects.create(owner=item.owner)
    runs.run(job.id)
    file = environment.export_dir / f"{job.id}.jsonl"
    exported = file.read_bytes()
    file.write_bytes(b"half")
    Job.objects.filter(id=job.id).update(status=Job.Status.PENDING)
    runs.run(job.id)
    assert file.read_bytes() == exported
    assert not list(environment.export_dir.glob(f"{job.id}*.part"))


def test_what_may_be_better_soon_is_tried_five_times(ada: User, caplog: pytest.LogCaptureFixture) -> None:
    job = Job.objects.create(owner=ada)
    target = environment.export_dir / f"{job.id}.jsonl"
    target.mkdir(parents=True)
    pauses = [runs.run(job.id) for _ in range(4)]
    assert all(pause and 1 <= pause <= 2**attempt for attempt, pause in enumerate(pauses, start=1))
    job.refresh_from_db()
    assert (job.status, job.finished_at) == (Job.Status.PENDING, None)
    assert runs.run(job.id) is None
    job.refresh_from_db()
    assert (job.status, job.result) == (Job.Status.FAILED, {"error": "IsADirectoryError"})
    assert job.finished_at
    assert "job failed" in caplog.text
