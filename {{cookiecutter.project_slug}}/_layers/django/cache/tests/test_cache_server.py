"""The cache's server really shared, gone, silent and back."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from app import limits
from app.cache import copies, store
from app.environment import BASE_DIR, environment
from app.guard import MISSED_DELETIONS, circuit
from app.items.models import Item
from tests.conftest import JSON, assert_problem, wait_for_a_new_minute
from tests.servers import Program

OTHER_PROCESS = """
import sys
import django
django.setup()
from app import limits
from app.cache import copies
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


def wait_until_back() -> None:
    deadline = time.monotonic() + 5
    while not store.answers():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Callable[[str], None]]:
    """Runs lines of code in another process of this service."""
    command = [sys.executable, "-c", OTHER_PROCESS]
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "app.settings"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=BASE_DIR, env=env, stdin=pipe, stdout=pipe, text=True) as process:  # noqa: S603

        def run(line: str) -> None:
            assert process.stdin
            assert process.stdout
            print(line, file=process.stdin, flush=True)
            assert process.stdout.readline() == "done\n"

        yield run


def path(item: Item) -> str:
    return f"/api/v1/items/{item.id}"


def test_processes_share_copies(elsewhere: Callable[[str], None]) -> None:
    elsewhere("copies.read_through('key', lambda: b'theirs')")
    assert copies.read_through("key", lambda: b"ours") == b"theirs"


def test_what_another_process_has_forgotten_is_not_kept(elsewhere: Callable[[str], None]) -> None:
    def load() -> bytes:
        elsewhere("copies.forget('key')")
        return b"old"

    assert copies.read_through("key", load) == b"old"
    assert copies.read_through("key", lambda: b"new") == b"new"


def test_processes_count_tries_together(client: Client, elsewhere: Callable[[str], None]) -> None:
    wait_for_a_new_minute()
    elsewhere("[limits.count(limits.LOGINS_PER_ACCOUNT, 'nobody@example.com') for _ in range(5)]")
    credentials = {"email": "nobody@example.com", "password": "wrong"}
    assert_problem(client.post("/api/v1/tokens", credentials, JSON), 429)


def test_a_server_that_is_gone(
    server: Program, client: Client, as_ada: Client, item: Item, caplog: pytest.LogCaptureFixture
) -> None:
    with server.killed():
        for _ in range(20):
            assert client.get(path(item)).json()["title"] == "Tea"
            assert len(client.get("/api/v1/items").json()["items"]) == 1
        assert as_ada.patch(path(item), {"title": "Coffee"}, JSON).status_code == 200
        assert client.get(path(item)).json()["title"] == "Coffee"
        ready = client.get("/health/ready")
        assert (ready.status_code, ready.json()["parts"]["cache"]) == (200, "down")
    wait_until_back()
    assert client.get("/health/ready").json()["parts"]["cache"] == "ok"
    lines = [record.msg["event"] for record in caplog.records if isinstance(record.msg, dict)]
    assert (lines.count("server is gone"), lines.count("server is back")) == (1, 1)


def test_a_server_that_is_silent_delays_one_request_in_a_while(server: Program, client: Client, item: Item) -> None:
    with server.frozen():
        start = time.perf_counter()
        for _ in range(10):
            assert client.get(path(item)).status_code == 200
        # Each call of the server would wait for a quarter of a second, and each request makes three.
        assert time.perf_counter() - start < 2.5


def test_what_could_not_be_forgotten_is_forgotten_first_thing_afterwards(
    server: Program, client: Client, as_ada: Client, item: Item
) -> None:
    old = client.get(path(item)).json()["title"]
    with server.frozen():
        as_ada.patch(path(item), {"title": "Coffee"}, JSON)
    wait_until_back()
    assert (old, client.get(path(item)).json()["title"]) == ("Tea", "Coffee")
    assert [item["title"] for item in client.get("/api/v1/items").json()["items"]] == ["Coffee"]


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


def test_only_so_much_is_remembered(server: Program) -> None:
    for key in ("first", "last"):
        store.add(key, b"value", 60)
    with server.frozen():
        # This call opens the circuit: no other one reaches the server.
        store.get("first")
        store.delete("first")
        store.delete(*map(str, range(MISSED_DELETIONS - 1)), "last")
    wait_until_back()
    assert (store.get("first"), store.get("last")) == (b"value", None)


def test_without_a_server_each_process_counts(server: Program, client: Client) -> None:
    wait_for_a_new_minute()
    credentials = {"email": "nobody@example.com", "password": "wrong"}
    with server.killed():
        for number in range(5):
            response = client.post("/api/v1/tokens", credentials, JSON, REMOTE_ADDR=f"192.0.2.{number}")
            assert response.status_code == 401
        response = client.post("/api/v1/tokens", credentials, JSON)
        assert_problem(response, 429)
        assert 1 <= int(response["Retry-After"]) <= 60
    wait_until_back()
    limits.count(limits.LOGINS_PER_ACCOUNT, credentials["email"])
