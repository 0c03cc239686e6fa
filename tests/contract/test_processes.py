"""The four processes: how they start, what they survive, how they stop."""

import json
import os
import re
import secrets
import signal
import socket
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.baking import BakedProject
from tests.contract.client import (
    Account,
    assert_problem,
    connect,
    create_item,
    new_user,
    read_response,
    sign_up,
    together,
    total,
)
from tests.serving import Server, eventually, free_port, running, started

WEB = ("./entrypoint", "web")
PROCESSES = ("web", "worker", "beat", "migrate")


class Place:
    """An empty database and export folder of a project, apart from what `make run` uses."""

    def __init__(self, project: BakedProject, folder: Path) -> None:
        self.project = project
        self.database = folder / "data" / "db.sqlite3"
        self.exports = folder / "exports"
        self.env = project.activated | {
            "DATABASE_URL": f"sqlite:///{self.database}",
            "EXPORT_DIR": str(self.exports),
            "LOG_LEVEL": "INFO",
        }

    def migrate(self) -> None:
        self.project.run("./entrypoint", "migrate", env=self.env)

    @contextmanager
    def web(self, **env: str) -> Iterator[Server]:
        with running(self.project, self.env | env, WEB) as server:
            yield server

    def execute(self, statement: str, *values: str | None) -> list[Any]:
        with closing(sqlite3.connect(self.database, timeout=10)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def tables(self) -> dict[str, list[str]]:
        """Every table's columns."""
        names = [name for (name,) in self.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: [column[1] for column in self.execute(f'PRAGMA table_info("{name}")')] for name in names}

    def table(self, column: str) -> str:
        """The name of the one table that has this column."""
        (name,) = (name for name, columns in self.tables().items() if column in columns)
        return name

    def columns(self, one: str) -> list[str]:
        """The columns of the table that has this one."""
        return self.tables()[self.table(one)]

    def job_statuses(self) -> list[str]:
        return [status for (status,) in self.execute(f'SELECT status FROM "{self.table("idempotency_key")}"')]


class Seed(NamedTuple):
    database: Path
    owner: Account
    job_id: str


@pytest.fixture
def place(project: BakedProject, tmp_path: Path) -> Place:
    return Place(project, tmp_path)


@pytest.fixture(scope="session")
def seed(project: BakedProject, tmp_path_factory: pytest.TempPathFactory) -> Seed:
    """A database with a user, three items and a finished export."""
    place = Place(project, tmp_path_factory.mktemp("seed"))
    place.migrate()
    with place.web() as server, connect(server.base_url) as client:
        owner = sign_up(client)
        for number in range(3):
            create_item(client, owner, title=f"Tea {number}")
        job = client.post("/api/v1/exports", headers=owner.headers).json()
        eventually(lambda: place.job_statuses() == ["succeeded"])
    return Seed(place.database, owner, job["id"])


@pytest.fixture
def migrated(place: Place, seed: Seed) -> Place:
    """A place with a copy of the seed."""
    place.database.parent.mkdir()
    with closing(sqlite3.connect(seed.database)) as source, closing(sqlite3.connect(place.database)) as copy:
        source.backup(copy)
    return place


# Starting


@pytest.mark.parametrize("words", [(), ("serve",), ("",), ("WEB",)], ids=str)
def test_an_unknown_word_is_refused_with_the_usage(place: Place, words: tuple[str, ...]) -> None:
    done = place.project.run("./entrypoint", *words, check=False, env=place.env)
    assert done.returncode == 2
    assert all(word in done.stdout for word in PROCESSES)


@pytest.mark.parametrize("process", PROCESSES)
def test_production_names_every_missing_setting_at_once(project: BakedProject, process: str) -> None:
    env = project.activated | {"ENVIRONMENT": "production", "PORT": str(free_port())}
    done = project.run("./entrypoint", process, check=False, timeout=20, env=env)
    assert done.returncode not in {0, 2}
    assert all(name in done.stdout for name in ("SECRET_KEY", "DATABASE_URL", "ALLOWED_HOSTS"))
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "development-only-never-use-this-key-in-production"),
        ("DATABASE_URL", "mysql://localhost/db"),
        ("ENVIRONMENT", "staging"),
        ("PORT", "http"),
        ("WEB_CONCURRENCY", "0"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_bad_setting_is_named_and_not_shown(place: Place, name: str, value: str) -> None:
    done = place.project.run("./entrypoint", "web", check=False, timeout=20, env=production(place) | {name: value})
    assert done.returncode not in {0, 2}
    assert name in done.stdout
    assert "Traceback" not in done.stdout
    assert name != "SECRET_KEY" or value not in done.stdout


def production(place: Place) -> dict[str, str]:
    return place.env | {
        "ENVIRONMENT": "production",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "ALLOWED_HOSTS": "api.example.com",
        "PORT": str(free_port()),
    }


def test_production(migrated: Place) -> None:
    env = {name: value for name, value in production(migrated).items() if name != "PORT"}
    with migrated.web(**env) as server, connect(server.base_url, "127.0.0.1") as client:
        response = client.get("/api/v1/items", headers={"Host": "api.example.com", "X-Forwarded-Proto": "https"})
        assert response.status_code == 200
        assert re.match(r"max-age=\d{7,}", response.headers["Strict-Transport-Security"])
        assert_problem(client.get("/api/v1/items"), 400)
        for path in ("/health/live", "/health/ready", "/metrics"):
            assert client.get(path).status_code == 200
        assert server.process
        process = server.process
        eventually(lambda: response.headers["X-Request-ID"] in process.log)
        records = [json.loads(line) for line in process.log.splitlines() if line.startswith("{")]
        (record,) = (record for record in records if record.get("request_id") == response.headers["X-Request-ID"])
        assert record["event"] == "request"
        assert (record["method"], record["path"], record["status"]) == ("GET", "/api/v1/items", 200)
        assert record["duration_ms"] > 0
        assert {"timestamp", "level"} <= record.keys()


# migrate


def test_migrations_from_several_places_at_once(place: Place) -> None:
    done = together(4, lambda _: place.project.run("./entrypoint", "migrate", check=False, env=place.env))
    assert [one.returncode for one in done] == [0] * 4, "\n".join(one.stdout for one in done)
    assert any(one.stdout.strip() for one in done), "progress is shown"
    place.migrate()
    with place.web() as server, connect(server.base_url) as client:
        create_item(client, sign_up(client))


# web


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_request_in_flight_is_answered_after_sigterm(migrated: Place, workers: str) -> None:
    body = json.dumps(new_user()).encode()
    with migrated.web(WEB_CONCURRENCY=workers) as server:
        assert server.process
        url = httpx.URL(server.base_url)
        with socket.create_connection((url.host, url.port or 80), timeout=20) as connection:
            connection.sendall(
                b"POST /api/v1/users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body)
            )
            # The server asks for the body: the request is in progress from here on.
            assert connection.recv(1024).startswith(b"HTTP/1.1 100")
            connection.sendall(body[:10])
            server.process.terminate()
            eventually(lambda: not answers(server))
            connection.sendall(body[10:])
            assert read_response(connection, "POST").status_code == 201
        assert server.process.exit_code() == 0


def answers(server: Server) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{server.base_url}/health/live", timeout=1, trust_env=False).status_code == 200
    return False


def test_accepted_exports_finish_before_the_server_stops(migrated: Place, seed: Seed) -> None:
    with migrated.web() as server, connect(server.base_url) as client:
        responses = [client.post("/api/v1/exports", headers=seed.owner.headers) for _ in range(20)]
        assert {response.status_code for response in responses} == {202}
        assert server.process
        begin = time.monotonic()
        server.process.terminate()
        assert server.process.exit_code() == 0
        assert time.monotonic() - begin < 10, "the client's idle connection must not keep the server"
    assert migrated.job_statuses() == ["succeeded"] * 21
    assert len(list(migrated.exports.iterdir())) == 20


def test_two_web_processes_count_exactly_and_never_answer_with_old_data(migrated: Place) -> None:
    with migrated.web(WEB_CONCURRENCY="2") as server, connect(server.base_url) as client:
        owner = sign_up(client)
        item = create_item(client, owner).json()
        path = f"/api/v1/items/{item['id']}"
        labels = {"method": "GET", "route": "/api/v1/items/{id}", "status": "200"}

        def read(_: int) -> bytes:
            # A connection of its own, so that both processes get their share.
            with connect(server.base_url) as other:
                return other.get(path).content

        for number in range(20):
            changed = client.patch(path, json={"body": str(number)}, headers=owner.headers)
            assert set(together(5, read)) == {changed.content}
        eventually(lambda: total(client, "http_requests_total", **labels) >= 100)
        assert {total(client, "http_requests_total", **labels) for _ in range(10)} == {100}


def test_a_killed_web_process_is_replaced(migrated: Place, tmp_path: Path) -> None:
    def processes() -> set[str]:
        """The ids of the processes that have answered requests: each counts into a file of its own."""
        assert answers(server)
        files = tmp_path.glob("metrics*/counter_*.db")
        return {file.stem.rpartition("_")[2] for file in files if b"/health/live" in file.read_bytes()}

    with migrated.web(WEB_CONCURRENCY="2", TMPDIR=str(tmp_path)) as server:
        before = eventually(lambda: processes() if len(processes()) == 2 else None)
        os.kill(int(before.pop()), signal.SIGKILL)
        eventually(lambda: answers(server) and processes() - before)


def test_an_unexpected_error_is_a_problem_document_and_logged_once(migrated: Place) -> None:
    with migrated.web() as server, connect(server.base_url) as client:
        item = create_item(client, sign_up(client)).json()
        migrated.execute(f"UPDATE \"{migrated.table('body')}\" SET created_at = 'no time', owner_id = owner_id")
        request_id = uuid.uuid4().hex
        response = client.get(f"/api/v1/items/{item['id']}", headers={"X-Request-ID": request_id})
        assert_problem(response, 500)
        assert response.headers["X-Request-ID"] == request_id
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "Traceback" not in response.text
        assert "no time" not in response.text
        assert server.process
        process = server.process
        eventually(lambda: re.search(rf"status=500.*{request_id}|{request_id}.*status=500", process.log))
        assert process.log.count("Traceback (most recent call last)") == 1
        assert len([line for line in process.log.splitlines() if request_id in line]) == 2
        eventually(
            lambda: total(client, "http_requests_total", route="/api/v1/items/{id}", status="500", method="GET") == 1
        )


# A database that is gone


def test_without_a_database_the_server_lives_and_recovers(place: Place) -> None:
    place.database.mkdir(parents=True)
    with running(place.project, place.env, WEB, ready="/health/live") as server, connect(server.base_url) as client:
        begin = time.monotonic()
        ready = client.get("/health/ready")
        assert_problem(ready, 503)
        assert "database" in ready.json()["detail"]
        assert "cache" not in ready.json()["detail"]
        assert_problem(client.get("/api/v1/items"), 503)
        assert_problem(client.get(f"/api/v1/items/{uuid.uuid4()}"), 503)
        assert_problem(client.post("/api/v1/users", json=new_user()), 503)
        assert client.get("/health/live").status_code == 200
        assert time.monotonic() - begin < 5
        place.database.rmdir()
        place.migrate()
        assert client.get("/health/ready").status_code == 200
        create_item(client, sign_up(client))


def test_a_database_that_stays_locked_is_503_for_writers_only(migrated: Place) -> None:
    with migrated.web() as server, connect(server.base_url) as client:
        user = new_user()
        with closing(sqlite3.connect(migrated.database)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            assert client.get("/api/v1/items").status_code == 200
            assert_problem(client.post("/api/v1/users", json=user), 503)
            connection.rollback()
        assert client.post("/api/v1/users", json=user).status_code == 201


# worker and beat


def minutes_ago(minutes: int) -> str:
    """A moment as the three frameworks write it to SQLite."""
    return (datetime.now(UTC) - timedelta(minutes=minutes)).strftime("%Y-%m-%d %H:%M:%S.%f")


def leave_behind(place: Place, status: str, started_at: str | None = None) -> str:
    """Add a job that nobody works on, as a killed process leaves it; its id."""
    job_id = uuid.uuid4()
    columns = {
        "id": "?",
        "status": "?",
        "started_at": "?",
        "result": "NULL",
        "finished_at": "NULL",
    }
    kept = ", ".join(name for name in place.columns("idempotency_key") if name not in columns)
    jobs = place.table("idempotency_key")
    place.execute(
        f'INSERT INTO "{jobs}" ({", ".join(columns)}, {kept}) SELECT {", ".join(columns.values())}, {kept} '
        f'FROM "{jobs}" LIMIT 1',
        job_id.hex,
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
    with started(*worker, env=migrated.env) as first, started(*worker, env=migrated.env) as second:
        eventually(lambda: "pending" not in migrated.job_statuses(), seconds=30)
        for process in (first, second):
            process.terminate()
            assert process.exit_code() == 0, process.log
    assert sorted(migrated.job_statuses()) == ["running"] + ["succeeded"] * 11
    assert len(list(migrated.exports.iterdir())) == 10


def test_beat_returns_only_what_has_been_running_too_long(migrated: Place) -> None:
    leave_behind(migrated, "running", minutes_ago(16))
    leave_behind(migrated, "running", minutes_ago(14))
    with started(migrated.project, "./entrypoint", "beat", env=migrated.env) as beat:
        eventually(lambda: "pending" in migrated.job_statuses(), seconds=40)
        beat.terminate()
        assert beat.exit_code() == 0
    assert sorted(migrated.job_statuses()) == ["pending", "running", "succeeded"]
