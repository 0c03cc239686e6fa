"""`migrate`, `worker` and `beat`."""

import json
import uuid
from datetime import UTC, datetime, timedelta

from tests.contract.client import (
    connect,
    create_item,
    sign_up,
    together,
)
from tests.contract.place import Place, Seed, SQLite
from tests.serving import eventually, started


def test_migrations_from_several_places_at_once(place: Place) -> None:
    count = 4 if isinstance(place.database, SQLite) else 8
    done = together(count, lambda _: place.project.run("./entrypoint", "migrate", check=False, env=place.env))
    assert [one.returncode for one in done] == [0] * count, "\n".join(one.stdout for one in done)
    assert any(one.stdout.strip() for one in done), "progress is shown"
    place.migrate()
    with place.web() as server, connect(server.base_url) as client:
        create_item(client, sign_up(client))


def minutes_ago(minutes: int) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)


def leave_behind(place: Place, status: str, started_at: datetime | None = None) -> str:
    """Add a job that nobody works on, as a killed process leaves it; its id."""
    job_id = uuid.uuid4()
    columns = {
        "id": "%s",
        "status": "%s",
        "started_at": "%s",
        "result": "NULL",
        "finished_at": "NULL",
    }
    kept = ", ".join(name for name in place.columns("idempotency_key") if name not in columns)
    jobs = place.table("idempotency_key")
    place.database.execute(
        f'INSERT INTO "{jobs}" ({", ".join(columns)}, {kept}) SELECT {", ".join(columns.values())}, {kept} '
        f'FROM "{jobs}" LIMIT 1',
        job_id,
        status,
        started_at,
    )
    return str(job_id)


def test_the_worker_runs_what_was_left_behind(migrated: Place, seed: Seed) -> None:
    job_id = leave_behind(migrated, "pending")
    migrated.exports.mkdir()
    export = migrated.exports / f"{job_id}.jsonl"
    export.write_text("cut off", encoding="utf-8")
    with started(migrated.project, "./entrypoint", "worker", env=migrated.env) as worker:
        eventually(lambda: migrated.job_statuses() == ["succeeded"] * 2)
        worker.terminate()
        assert worker.exit_code() == 0
        assert seed.owner.email not in worker.log
    items = [json.loads(line) for line in export.read_text(encoding="utf-8").splitlines()]
    assert sorted(item["title"] for item in items) == ["Tea 0", "Tea 1", "Tea 2"]
    with migrated.web() as server, connect(server.base_url) as client:
        job = client.get(f"/api/v1/jobs/{job_id}", headers=seed.owner.headers).json()
        assert job["status"] == "succeeded"
        assert job["result"] == {"file": export.name, "items": 3, "bytes": export.stat().st_size}


def test_two_workers_share_the_jobs_and_leave_a_running_one_alone(migrated: Place) -> None:
    for _ in range(10):
        leave_behind(migrated, "pending")
    leave_behind(migrated, "running", minutes_ago(0))
    worker = (migrated.project, "./entrypoint", "worker")
    with started(*worker, env=migrated.env), started(*worker, env=migrated.env):
        eventually(lambda: sorted(migrated.job_statuses()) == ["running"] + ["succeeded"] * 11, seconds=30)
    assert len(list(migrated.exports.iterdir())) == 10


def test_beat_returns_only_what_has_been_running_too_long(migrated: Place) -> None:
    leave_behind(migrated, "running", minutes_ago(16))
    leave_behind(migrated, "running", minutes_ago(14))
    with started(migrated.project, "./entrypoint", "beat", env=migrated.env) as beat:
        eventually(lambda: "pending" in migrated.job_statuses(), seconds=40)
        beat.terminate()
        assert beat.exit_code() == 0
    assert sorted(migrated.job_statuses()) == ["pending", "running", "succeeded"]
