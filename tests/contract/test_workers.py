"""`migrate`, `worker` and `beat`."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from tests.contract.client import (
    connect,
    create_item,
    sign_up,
    together,
)
from tests.contract.place import Place, Seed, SQLite, Value
from tests.serving import eventually, started


@pytest.mark.variants("embedded", "one real of each framework")
def test_migrations_from_several_places_at_once(place: Place) -> None:
    count = 4 if isinstance(place.database, SQLite) else 8
    done = together(count, lambda _: place.project.run("./entrypoint", "migrate", check=False, env=place.env))
    assert [one.returncode for one in done] == [0] * count, "\n".join(one.stdout for one in done)
    assert any(one.stdout.strip() for one in done), "progress is shown"
    place.migrate()
    with place.web() as server, connect(server.base_url) as client:
        create_item(client, sign_up(client))


def leave_behind(place: Place, status: str, due_in: int = -60) -> str:
    """Add a job as a process leaves it that was killed: it is handed out in so many seconds; its id."""
    job_id = uuid.uuid4()
    now = datetime.now(UTC)
    columns: dict[str, Value] = {
        "id": job_id,
        "status": status,
        "attempts": int(status == "running"),
        "due_at": now + timedelta(seconds=due_in),
        "started_at": now - timedelta(hours=1) if status == "running" else None,
        "result": None,
        "finished_at": None,
    }
    kept = ", ".join(name for name in place.columns("idempotency_key") if name not in columns)
    jobs = place.table("idempotency_key")
    place.database.execute(
        f'INSERT INTO "{jobs}" ({", ".join(columns)}, {kept}) '
        f'SELECT {", ".join(["%s"] * len(columns))}, {kept} FROM "{jobs}" LIMIT 1',
        *columns.values(),
    )
    return str(job_id)


@pytest.mark.variants("real")
def test_what_was_left_behind_is_run(migrated: Place, seed: Seed) -> None:
    job_id = leave_behind(migrated, "pending")
    migrated.exports.mkdir()
    export = migrated.exports / f"{job_id}.jsonl"
    export.write_text("cut off", encoding="utf-8")
    with migrated.working() as processes:
        eventually(lambda: migrated.job_statuses() == ["succeeded"] * 2, seconds=30)
        for process in processes:
            process.terminate()
            assert process.exit_code() == 0
            assert seed.owner.email not in process.log
    items = [json.loads(line) for line in export.read_text(encoding="utf-8").splitlines()]
    assert sorted(item["title"] for item in items) == ["Tea 0", "Tea 1", "Tea 2"]
    with migrated.web() as server, connect(server.base_url) as client:
        job = client.get(f"/api/v1/jobs/{job_id}", headers=seed.owner.headers).json()
        assert job["status"] == "succeeded"
        assert job["result"] == {"file": export.name, "items": 3, "bytes": export.stat().st_size}


@pytest.mark.variants("real")
def test_two_workers_share_the_jobs_and_leave_a_running_one_alone(migrated: Place) -> None:
    for _ in range(10):
        leave_behind(migrated, "pending")
    leave_behind(migrated, "running", due_in=600)
    with migrated.working(), started(migrated.project, "./entrypoint", "worker", env=migrated.env):
        eventually(lambda: sorted(migrated.job_statuses()) == ["running"] + ["succeeded"] * 11, seconds=30)
    assert len(list(migrated.exports.iterdir())) == 10


@pytest.mark.variants("real")
def test_beat_returns_only_jobs_of_which_nothing_is_heard(migrated: Place) -> None:
    leave_behind(migrated, "running")
    leave_behind(migrated, "running", due_in=600)
    with started(migrated.project, "./entrypoint", "beat", env=migrated.env) as beat:
        if migrated.has_broker:
            # Beat says when; a worker looks into the table, and then runs what it finds.
            with started(migrated.project, "./entrypoint", "worker", env=migrated.env):
                eventually(lambda: migrated.job_statuses().count("succeeded") == 2, seconds=30)
            left = ["running", "succeeded", "succeeded"]
        else:
            eventually(lambda: "pending" in migrated.job_statuses(), seconds=40)
            left = ["pending", "running", "succeeded"]
        beat.terminate()
        assert beat.exit_code() == 0
    assert sorted(migrated.job_statuses()) == left


@pytest.mark.variants("embedded")
@pytest.mark.parametrize("process", ["worker", "beat"])
def test_without_a_broker_there_is_nothing_to_do(place: Place, process: str) -> None:
    place.migrate()
    done = place.project.run("./entrypoint", process, check=False, timeout=20, env=place.env)
    assert done.returncode == 1
    assert done.stdout == "BROKER_URL is not set: the web process runs the jobs itself.\n"
