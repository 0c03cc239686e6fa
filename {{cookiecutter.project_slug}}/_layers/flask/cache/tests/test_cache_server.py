"""The cache's server really shared, gone, silent and back."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient
from prometheus_client import REGISTRY

from app.cache import cache, copies, store
from app.environment import BASE_DIR, environment
from app.guard import circuit
from tests.conftest import Headers, wait_for_a_new_minute
from tests.servers import Program

OTHER_PROCESS = """
import sys
from app.cache import cache, copies
from app.main import app

client = app.test_client()
for line in sys.stdin:
    exec(line)
    print("done", flush=True)
"""

pytestmark = pytest.mark.skipif(not environment.cache_url, reason="no server for the cache")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    """The server of these tests. Afterwards it is there again."""
    if "cache_url" not in Program.started:
        pytest.skip("TEST_CACHE_URL names a server that others may use")
    monkeypatch.setattr(circuit, "_pause", 0.1)
    yield Program.started["cache_url"]
    wait_until_back()


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Callable[[str], None]]:
    """Runs lines of code in another process of this service."""
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", OTHER_PROCESS],
        cwd=BASE_DIR,
        env=os.environ | {"LOG_LEVEL": "ERROR"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def run(line: str) -> None:
            assert process.stdin
            assert process.stdout
            print(line, file=process.stdin, flush=True)
            assert process.stdout.readline() == "done\n"

        yield run


@pytest.fixture
def path(client: FlaskClient, headers: Headers) -> str:
    """Where an item is."""
    return client.post("/api/v1/items", json={"title": "Tea", "body": ""}, headers=headers).headers["Location"]


def wait_until_back() -> None:
    deadline = time.monotonic() + 5
    while not store.answers():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def title(client: FlaskClient, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return str(response.get_json()["title"])


def test_processes_share_copies(elsewhere: Callable[[str], None]) -> None:
    elsewhere("copies.read_through('key', lambda: b'theirs')")
    assert copies.read_through("key", lambda: b"ours") == b"theirs"


def test_what_another_process_has_forgotten_is_not_kept(elsewhere: Callable[[str], None]) -> None:
    def load() -> bytes:
        elsewhere("copies.forget('key')")
        return b"old"

    assert copies.read_through("key", load) == b"old"
    assert copies.read_through("key", lambda: b"new") == b"new"


def test_processes_share_what_the_project_itself_caches(elsewhere: Callable[[str], None]) -> None:
    elsewhere("cache.set('numbers', [1, 2])")
    assert cache.get("numbers") == [1, 2]


def test_processes_count_tries_together(client: FlaskClient, elsewhere: Callable[[str], None]) -> None:
    wait_for_a_new_minute()
    wrong = {"email": "nobody@example.com", "password": "wrong"}
    elsewhere(f"for _ in range(5): client.post('/api/v1/tokens', json={wrong})")
    response = client.post("/api/v1/tokens", json=wrong)
    assert response.status_code == 429
    assert 1 <= int(response.headers["Retry-After"]) <= 60


def test_a_server_that_is_gone(
    server: Program, client: FlaskClient, headers: Headers, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert title(client, path) == "Tea"
    with server.killed():
        for _ in range(20):
            assert title(client, path) == "Tea"
            assert len(client.get("/api/v1/items").get_json()["items"]) == 1
        assert client.patch(path, json={"title": "Coffee"}, headers=headers).status_code == 200
        assert title(client, path) == "Coffee"
        ready = client.get("/health/ready")
        assert (ready.status_code, ready.get_json()["parts"]["cache"]) == (200, "down")
    wait_until_back()
    assert client.get("/health/ready").get_json()["parts"]["cache"] == "ok"
    events = [record.msg["event"] for record in caplog.records if isinstance(record.msg, dict)]
    assert (events.count("server is gone"), events.count("server is back")) == (1, 1)


def test_a_silent_server_delays_one_request_in_a_while(
    server: Program, client: FlaskClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failures() -> float:
        return REGISTRY.get_sample_value("server_failures_total", {"server": "cache"}) or 0

    monkeypatch.setattr(circuit, "_pause", 60)
    before = failures()
    with server.frozen():
        assert {title(client, path) for _ in range(20)} == {"Tea"}
    assert failures() == before + 1
    circuit.succeed()


def test_what_could_not_be_forgotten_is_forgotten_before_anything_is_read(
    server: Program, client: FlaskClient, headers: Headers, path: str
) -> None:
    assert title(client, path) == "Tea"
    assert client.get("/api/v1/items").get_json()["items"][0]["title"] == "Tea"
    with server.frozen():
        assert client.patch(path, json={"title": "Coffee"}, headers=headers).status_code == 200
    wait_until_back()
    assert title(client, path) == "Coffee"
    assert client.get("/api/v1/items").get_json()["items"][0]["title"] == "Coffee"


def test_nobody_waits_for_a_copy_that_was_never_finished(server: Program) -> None:
    frozen = server.frozen()

    def load() -> bytes:
        # Here the server has the mark, and cannot be told any more that there will be no copy.
        frozen.__enter__()
        return b"value"

    try:
        assert copies.read_through("unfinished", load) == b"value"
    finally:
        frozen.__exit__(None, None, None)
    wait_until_back()
    start = time.perf_counter()
    assert copies.read_through("unfinished", lambda: b"value") == b"value"
    assert time.perf_counter() - start < 1


def test_without_the_server_each_process_counts(server: Program, client: FlaskClient) -> None:
    wait_for_a_new_minute()
    wrong = {"email": "nobody@example.com", "password": "wrong"}
    with server.killed():
        assert [client.post("/api/v1/tokens", json=wrong).status_code for _ in range(6)] == [401] * 5 + [429]
    wait_until_back()
    assert client.post("/api/v1/tokens", json=wrong).status_code == 401
