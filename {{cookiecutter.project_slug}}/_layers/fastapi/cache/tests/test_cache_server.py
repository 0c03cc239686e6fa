"""The cache's server really shared, gone, silent and back."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import uuid4

import pytest
from httpx import AsyncClient

from app import limits
from app.cache import copies, store
from app.copies import UnavailableError
from app.environment import BASE_DIR, environment
from app.guard import MISSED_DELETIONS, Guarded, circuit
from tests.conftest import Headers, assert_problem, wait_for_a_new_minute
from tests.servers import Program

pytestmark = pytest.mark.skipif(not environment.cache_url, reason="no server for the cache")

NOBODY = {"email": "nobody@example.com", "password": "wrong"}
TEA = {"title": "Tea", "body": ""}


@pytest.fixture
def key() -> str:
    return uuid4().hex


@pytest.fixture
async def server(started: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Program]:
    """The server of these tests. Afterwards it is there again."""
    if "cache_url" not in Program.started:
        pytest.skip("TEST_CACHE_URL names a server that others may use")
    monkeypatch.setattr(circuit, "_pause", 0.5)
    yield Program.started["cache_url"]
    await until_it_is_back()


@pytest.fixture
async def path(client: AsyncClient, headers: Headers) -> str:
    response = await client.post("/api/v1/items", json=TEA, headers=headers)
    return response.headers["Location"]


async def until_it_is_back() -> None:
    for _ in range(250):
        if await store.answers():
            return
        await asyncio.sleep(0.02)
    pytest.fail("The server does not come back.")


async def elsewhere(code: str) -> None:
    """Run it in another process of this service."""
    code = f"""
import asyncio
from app import limits
from app.cache import copies
async def value():
    return b"theirs"
async def main():
    {code}
asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, cwd=BASE_DIR, env=os.environ)
    assert await process.wait() == 0


async def ours() -> bytes:
    return b"ours"


async def test_processes_share_copies(started: None, key: str) -> None:
    await elsewhere(f"await copies.read_through({key!r}, value)")
    assert await copies.read_through(key, ours) == b"theirs"


async def test_what_another_process_has_forgotten_is_not_kept(started: None, key: str) -> None:
    async def load() -> bytes:
        await elsewhere(f"await copies.forget({key!r})")
        return b"old"

    assert await copies.read_through(key, load) == b"old"
    assert await copies.read_through(key, ours) == b"ours"


async def test_processes_count_tries_together(client: AsyncClient) -> None:
    await wait_for_a_new_minute()
    whose = uuid4().hex
    credentials = NOBODY | {"email": f"{whose}@example.com"}
    await elsewhere(f"[await limits.count(limits.LOGINS_PER_ACCOUNT, {credentials['email']!r}) for _ in range(5)]")
    assert_problem(await client.post("/api/v1/tokens", json=credentials), 429)


async def test_what_is_too_large_for_the_server_is_served(started: None, key: str) -> None:
    async def load() -> bytes:
        return b"x" * 2_000_000

    assert await copies.read_through(key, load) == await load()
    assert not circuit.is_open


async def test_a_crowd_is_no_failure(started: None, key: str) -> None:
    values = await asyncio.gather(*(copies.read_through(key, ours) for _ in range(300)))
    assert set(values) == {b"ours"}
    assert not circuit.is_open


async def test_a_server_that_is_gone(
    server: Program, client: AsyncClient, headers: Headers, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with server.killed():
        for _ in range(20):
            assert (await client.get(path)).json()["title"] == "Tea"
            assert len((await client.get("/api/v1/items")).json()["items"]) == 1
        assert (await client.patch(path, json={"title": "Coffee"}, headers=headers)).status_code == 200
        assert (await client.get(path)).json()["title"] == "Coffee"
        ready = await client.get("/health/ready")
        assert ready.status_code == 200
        assert ready.json()["parts"]["cache"] == "down"
    await until_it_is_back()
    assert (await client.get("/health/ready")).json()["parts"]["cache"] == "ok"
    lines = [record.msg["event"] for record in caplog.records if isinstance(record.msg, dict)]
    assert (lines.count("server is gone"), lines.count("server is back")) == (1, 1)


async def test_a_server_that_is_silent_delays_few_requests(server: Program, client: AsyncClient, path: str) -> None:
    async def seconds() -> float:
        start = time.perf_counter()
        assert (await client.get(path)).status_code == 200
        return time.perf_counter() - start

    with server.frozen():
        crowd = await asyncio.gather(*(seconds() for _ in range(200)))
        one_by_one = [await seconds() for _ in range(20)]
    assert max(crowd) < 2
    assert max(one_by_one) < 1
    assert sorted(one_by_one)[10] < 0.2


async def test_what_could_not_be_forgotten_is_forgotten_before_it_is_read(
    server: Program, client: AsyncClient, headers: Headers, path: str
) -> None:
    for warm in (path, "/api/v1/items"):
        await client.get(warm)
    with server.frozen():
        # Nobody will ask the server again for a while.
        await client.get(path)
        await client.patch(path, json={"title": "Coffee"}, headers=headers)
    await until_it_is_back()
    assert (await client.get(path)).json()["title"] == "Coffee"
    assert [item["title"] for item in (await client.get("/api/v1/items")).json()["items"]] == ["Coffee"]


async def test_the_deletions_to_make_later_are_bounded(server: Program, key: str) -> None:
    keys = [f"{key}:{number}" for number in range(2 * MISSED_DELETIONS)]
    for newest in (keys[0], keys[-1]):
        await copies.read_through(newest, ours)
    assert isinstance(store, Guarded)
    with server.frozen():
        await copies.forget(key)
        await copies.forget(*keys)
    await until_it_is_back()
    assert await store.get(keys[-1]) is None
    assert await store.get(keys[0]) == b"ours"


async def test_without_the_server_each_process_counts(server: Program, client: AsyncClient) -> None:
    await wait_for_a_new_minute()
    credentials = NOBODY | {"email": f"{uuid4().hex}@example.com"}
    with server.killed():
        for _ in range(5):
            assert (await client.post("/api/v1/tokens", json=credentials)).status_code == 401
        response = await client.post("/api/v1/tokens", json=credentials)
        assert_problem(response, 429)
        assert 1 <= int(response.headers["Retry-After"]) <= 60
    await until_it_is_back()
    await limits.count(limits.LOGINS_PER_ACCOUNT, credentials["email"])


async def test_cancelled_calls_mix_up_no_answers(server: Program, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuit, "_pause", 0)
    values = {f"{key}:{number}": str(number).encode() * 100 * number for number in range(1, 60)}
    for name, value in values.items():
        await store.add(name, value, 60)

    async def read(name: str, seconds: float) -> bool:
        with suppress(TimeoutError, UnavailableError):
            async with asyncio.timeout(seconds):
                assert await store.get(name) == values[name]
                return True
        return False

    for seconds in (0.001, 0.002, 0.005, 0.01) * 10:
        await asyncio.gather(*(read(name, 1 if len(name) % 2 else seconds) for name in values))
    await until_it_is_back()
    assert all(await asyncio.gather(*(read(name, 1) for name in values)))
