"""Starting the processes, and `web`: what it survives and how it stops."""

import json
import os
import re
import secrets
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.baking import BakedProject
from tests.contract.client import (
    assert_problem,
    connect,
    create_item,
    new_user,
    read_response,
    sign_up,
    together,
    total,
)
from tests.contract.place import Place, Seed
from tests.serving import Server, eventually, free_port

PROCESSES = ("web", "worker", "beat", "migrate")


@pytest.mark.variants("embedded")
@pytest.mark.parametrize("words", [(), ("serve",), ("",), ("WEB",)], ids=str)
def test_an_unknown_word_is_refused_with_the_usage(place: Place, words: tuple[str, ...]) -> None:
    done = place.project.run("./entrypoint", *words, check=False, env=place.env)
    assert done.returncode == 2
    assert all(word in done.stdout for word in PROCESSES)


@pytest.mark.variants("embedded")
@pytest.mark.parametrize("process", PROCESSES)
def test_production_names_every_missing_setting_at_once(project: BakedProject, process: str) -> None:
    env = project.activated | {"ENVIRONMENT": "production", "PORT": str(free_port())}
    done = project.run("./entrypoint", process, check=False, timeout=20, env=env)
    assert done.returncode not in {0, 2}
    missing = ("SECRET_KEY", "DATABASE_URL", "CACHE_URL", "BROKER_URL", "ALLOWED_HOSTS")
    assert all(name in done.stdout for name in missing)
    assert "Traceback" not in done.stdout


@pytest.mark.variants("embedded")
def test_every_bad_setting_is_named_at_once(place: Place) -> None:
    bad = {
        "SECRET_KEY": "short",
        "DATABASE_URL": "mysql://ada:s3cret@localhost/db",
        "CACHE_URL": "http://ada:s3cret@localhost/0",
        "BROKER_URL": "redis://ada:s3cret/@localhost/0",
        "PORT": "http",
        "WEB_CONCURRENCY": "0",
        "LOG_LEVEL": "LOUD",
    }
    done = place.project.run("./entrypoint", "web", check=False, timeout=20, env=production(place) | bad)
    assert done.returncode not in {0, 2}
    assert [name for name in bad if name not in done.stdout] == []
    assert "s3cret" not in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.variants("embedded")
def test_production_refuses_the_development_key_and_does_not_show_it(place: Place) -> None:
    key = "development-only-never-use-this-key-in-production"
    done = place.project.run(
        "./entrypoint", "web", check=False, timeout=20, env=production(place) | {"SECRET_KEY": key}
    )
    assert done.returncode not in {0, 2}
    assert "SECRET_KEY" in done.stdout
    assert key not in done.stdout


def production(place: Place) -> dict[str, str]:
    return place.env | {
        "ENVIRONMENT": "production",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "ALLOWED_HOSTS": "api.example.com",
        "PORT": str(free_port()),
    }


@pytest.mark.variants("real")
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


@pytest.mark.variants("embedded", "one real of each framework")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_request_in_flight_is_answered_after_sigterm(migrated: Place, tmp_path: Path, workers: str) -> None:
    body = json.dumps(new_user()).encode()
    with migrated.web(WEB_CONCURRENCY=workers, TMPDIR=str(tmp_path)) as server:
        assert server.process
        if workers == "2":
            eventually(lambda: two_processes(server, tmp_path))
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


def processes_that_answered(folder: Path) -> set[str]:
    """Their ids: each web process counts into a file of its own."""
    files = folder.glob("metrics*/counter_*.db")
    return {file.stem.rpartition("_")[2] for file in files if b"/health/live" in file.read_bytes()}


def two_processes(server: Server, folder: Path) -> set[str] | None:
    """The ids of both web processes, once both have answered."""
    found = processes_that_answered(folder) if answers(server) else set()
    return found if len(found) == 2 else None


def answers(server: Server) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{server.base_url}/health/live", timeout=1, trust_env=False).status_code == 200
    return False


def test_accepted_exports_run_although_the_server_stops(migrated: Place, seed: Seed) -> None:
    with migrated.web() as server, connect(server.base_url) as client:
        responses = [client.post("/api/v1/exports", headers=seed.owner.headers) for _ in range(20)]
        assert {response.status_code for response in responses} == {202}
        assert server.process
        begin = time.monotonic()
        server.process.terminate()
        assert server.process.exit_code() == 0
        assert time.monotonic() - begin < 10, "the client's idle connection must not keep the server"
    if migrated.has_broker:
        with migrated.working():
            eventually(lambda: migrated.job_statuses() == ["succeeded"] * 21, seconds=30)
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


@pytest.mark.variants("embedded", "one real of each framework")
def test_a_killed_web_process_is_replaced(migrated: Place, tmp_path: Path) -> None:
    with migrated.web(WEB_CONCURRENCY="2", TMPDIR=str(tmp_path)) as server:
        before = eventually(lambda: two_processes(server, tmp_path))
        os.kill(int(min(before)), signal.SIGKILL)
        eventually(lambda: answers(server) and processes_that_answered(tmp_path) - before)
