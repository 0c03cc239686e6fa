"""Which replicas are read from, and the service as a whole before a primary and a replica."""

import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from app import replicas as module
from app.environment import BASE_DIR
from app.replicas import Replicas
from tests import services
from tests.standby import Standby

# The newest items, but not from the cache.
NEWEST = "/api/v1/items?limit=1&cursor=ffffffff-ffff-7fff-bfff-ffffffffffff"


@pytest.fixture
def replicas() -> Replicas:
    """Two that are well."""
    replicas = Replicas(["postgresql://me:secret@one/db", "postgresql://me:secret@two/db"])
    assert replicas.choose() is None
    replicas.primary_has_written(100)
    for number in range(2):
        replicas.has_replayed(number, 100)
    return replicas


def chosen(replicas: Replicas) -> set[int | None]:
    return {replicas.choose() for _ in range(100)}


def test_reads_are_spread_evenly(replicas: Replicas) -> None:
    count = Counter(replicas.choose() for _ in range(3000))
    assert all(0.45 < count[number] / 3000 < 0.55 for number in range(2))


def test_a_replica_may_be_behind_for_a_while(replicas: Replicas, monkeypatch: pytest.MonkeyPatch) -> None:
    replicas.primary_has_written(200)
    replicas.has_replayed(0, 150)
    assert chosen(replicas) == {0, 1}
    monkeypatch.setattr(module, "LAG_SECONDS", 0)
    replicas.primary_has_written(200)
    replicas.has_replayed(0, 199)
    assert chosen(replicas) == {1}
    replicas.has_replayed(0, 200)
    assert chosen(replicas) == {0, 1}


def test_a_replica_that_fails_is_left_until_it_answers(replicas: Replicas) -> None:
    replicas.has_failed(0, ConnectionError())
    replicas.has_failed(1, ConnectionError())
    assert chosen(replicas) == {None}
    replicas.has_replayed(1, 100)
    assert chosen(replicas) == {1}


def test_a_server_that_is_no_replica_is_not_read_from(replicas: Replicas) -> None:
    replicas.has_replayed(0, None)
    assert chosen(replicas) == {1}


def test_without_the_primary_all_stays_as_it_was(replicas: Replicas, monkeypatch: pytest.MonkeyPatch) -> None:
    replicas.primary_has_written(200)
    monkeypatch.setattr(module, "LAG_SECONDS", 0)
    replicas.primary_has_written(200)
    replicas.has_replayed(0, 150)
    monkeypatch.setattr(module, "SILENCE_SECONDS", 0)
    replicas.has_failed(1, ConnectionError())
    for number in range(2):
        replicas.has_replayed(number, 150)
    assert chosen(replicas) == {1}


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: Any


class Service:
    """The service before a primary and a replica."""

    def __init__(self, primary: str, replica: Standby) -> None:
        self.primary = primary
        self.replica = replica
        with socket.create_server(("127.0.0.1", 0)) as server:
            self._port = server.getsockname()[1]
        # Nothing of what the tests set for themselves.
        self._environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PORT": str(self._port),
            "DATABASE_URL": primary,
            "DATABASE_REPLICA_URLS": replica.url,
            "EXPORT_DIR": os.environ["EXPORT_DIR"],
        }

    def start(self, process: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([BASE_DIR / "entrypoint", process], env=self._environment)  # noqa: S603

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        with closing(HTTPConnection("127.0.0.1", self._port, timeout=30)) as connection:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, {"content-type": "application/json"} | headers)
            response = connection.getresponse()
            content = response.read()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, json.loads(content) if content[:1] == b"{" else content)

    def get(self, path: str, **headers: str) -> Answer:
        return self.call("GET", path, **headers)

    def usable(self, count: int) -> bool:
        try:
            return f"\ndatabase_replicas_usable {count}.0\n" in self.get("/metrics").body.decode()
        except ConnectionError:
            return False

    def caught_up(self) -> bool:
        # The test's primary commits before it writes.
        written = self.replica.ask("SELECT pg_current_wal_insert_lsn()", self.primary)
        return self.replica.ask(f"SELECT pg_last_wal_replay_lsn() >= '{written}'") == "t"

    def title(self, **headers: str) -> str:
        return str(self.get(NEWEST, **headers).body["items"][0]["title"])


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    programs = services.postgresql_programs()
    if programs is None:
        pytest.skip("needs the programs of PostgreSQL")
    primary = services.start_postgresql(programs)
    replica = Standby(programs, primary)
    service = Service(primary, replica)
    assert service.start("migrate").wait() == 0
    eventually(service.caught_up)
    web = service.start("web")
    try:
        eventually(lambda: service.usable(1))
        yield service
    finally:
        web.terminate()
        web.wait()
        replica.remove()


@pytest.fixture(scope="module")
def somebody(service: Service) -> str:
    """The header of somebody who is logged in."""
    account = {"email": f"{uuid4().hex}@example.com", "password": "correct horse battery"}
    service.call("POST", "/api/v1/users", account | {"name": "Ada"})
    token = service.call("POST", "/api/v1/tokens", account).body["access_token"]
    service.call("POST", "/api/v1/items", {"title": "Tea", "body": ""}, authorization=f"Bearer {token}")
    return f"Bearer {token}"


@pytest.fixture
def paused(service: Service, somebody: str) -> Iterator[None]:
    """The replica shows no change any more."""
    eventually(lambda: service.caught_up() and service.usable(1))
    service.replica.ask("SELECT pg_wal_replay_pause()")
    yield
    service.replica.ask("SELECT pg_wal_replay_resume()")


@pytest.mark.usefixtures("paused")
def test_who_has_written_reads_it(service: Service, somebody: str) -> None:
    created = service.call("POST", "/api/v1/items", {"title": "Coffee", "body": ""}, authorization=somebody)
    cookie = created.headers["set-cookie"]
    assert {"Max-Age=10", "Path=/", "HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))
    mark, _, _ = cookie.partition(";")
    assert service.title(cookie=mark) == "Coffee"
    assert service.title() == service.title(cookie=mark[:-1]) == service.title(cookie="wrote=9999999999.f00") == "Tea"
    # What many will see from the cache must not be older than what it replaces.
    assert service.get("/api/v1/items?limit=1").body["items"][0]["title"] == "Coffee"
    assert "set-cookie" not in service.get(NEWEST).headers
    refused = service.call("POST", "/api/v1/items", {}, authorization=somebody)
    assert (refused.status, "set-cookie" in refused.headers) == (422, False)


@pytest.mark.usefixtures("paused")
def test_what_the_replica_does_not_have_yet_is_found(service: Service, somebody: str) -> None:
    account = {"email": f"{uuid4().hex}@example.com", "password": "correct horse battery"}
    service.call("POST", "/api/v1/users", account | {"name": "Grace"})
    token = service.call("POST", "/api/v1/tokens", account).body["access_token"]
    assert service.get("/api/v1/users/me", authorization=f"Bearer {token}").body["name"] == "Grace"
    job = service.call("POST", "/api/v1/exports", authorization=somebody).headers["location"]
    assert service.get(job, authorization=somebody).status == 200
    assert service.get(f"/api/v1/jobs/{uuid4()}", authorization=somebody).status == 404
    assert service.usable(1)


def test_nobody_notices_that_the_replica_is_gone(service: Service, somebody: str) -> None:
    eventually(lambda: service.caught_up() and service.usable(1))
    assert service.get("/api/v1/users/me", authorization=somebody).status == 200
    service.replica.stop()
    for _ in range(3):
        assert service.get("/api/v1/users/me", authorization=somebody).status == 200
    eventually(lambda: service.usable(0))
    assert service.get("/health/ready").status == 200
    service.replica.start()
    eventually(lambda: service.usable(1))
    for _ in range(3):
        assert service.get("/api/v1/users/me", authorization=somebody).status == 200
