from collections.abc import AsyncIterator

import pytest
from httpx import AsyncClient
from sqlalchemy import update

from app.database import writing
from app.jobs.models import Job
from app.middleware import MAX_BODY_BYTES
from app.queue import queue
from tests.conftest import Headers, assert_problem

ITEM = "/api/v1/items/01a1fd8c-cf04-7076-9072-523519e1882f"
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("path", ["/nothing", "/api/v1/nothing", "/api/v1/items/", "/api/v1/items/7", "/static/no.js"])
async def test_unknown_path(client: AsyncClient, path: str) -> None:
    assert_problem(await client.get(path), 404)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/api/v1/items", "GET, POST"), (ITEM, "DELETE, GET, PATCH"), ("/api/v1/tokens", "POST"), ("/docs", "GET")],
)
async def test_wrong_method(client: AsyncClient, path: str, allowed: str) -> None:
    response = await client.put(path)
    assert_problem(response, 405)
    assert response.headers["Allow"] == allowed


@pytest.mark.parametrize("media_type", [{}, {"Content-Type": "text/plain"}, {"Content-Type": "x"}])
async def test_wrong_media_type(client: AsyncClient, headers: Headers, media_type: Headers) -> None:
    assert_problem(await client.post("/api/v1/items", content=b"{}", headers=headers | media_type), 415)


@pytest.mark.parametrize("body", [b"{", b"{'a': 1}", b'{"a": NaN}', '{"title": ""}'.encode("utf-16"), b"[" * 9999])
async def test_body_that_is_no_json(client: AsyncClient, headers: Headers, body: bytes) -> None:
    assert_problem(await client.post("/api/v1/items", content=body, headers=headers | JSON), 400)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"7", b'"text"'])
async def test_body_that_is_no_object(client: AsyncClient, headers: Headers, body: bytes) -> None:
    assert_problem(await client.post("/api/v1/items", content=body, headers=headers | JSON), 422, "/body")


@pytest.mark.parametrize("path", ["/api/v1/users", "/api/v1/exports", "/nothing"])
async def test_large_body(client: AsyncClient, path: str) -> None:
    assert_problem(await client.post(path, content=b"x" * (MAX_BODY_BYTES + 1), headers=JSON), 413)


async def test_large_body_without_a_length(client: AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(17):
            yield b"x" * 65_536

    assert_problem(await client.post("/api/v1/users", content=chunks(), headers=JSON), 413)


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "localhost:x", "@", ""])
async def test_unknown_host(client: AsyncClient, host: str) -> None:
    assert_problem(await client.get("/api/v1/items", headers={"Host": host}), 400)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:80", "[::1]:8000"])
async def test_known_host(client: AsyncClient, host: str) -> None:
    assert (await client.get("/api/v1/items", headers={"Host": host})).status_code == 200


async def test_unexpected_error(client: AsyncClient, headers: Headers, caplog: pytest.LogCaptureFixture) -> None:
    created = await client.post("/api/v1/exports", headers=headers)
    await queue.finish()
    async with writing.begin() as session:
        await session.execute(update(Job).values(status="no status"))
    response = await client.get(created.headers["Location"], headers=headers)
    assert_problem(response, 500)
    assert "no status" not in response.text
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert len([record for record in caplog.records if record.exc_info]) == 1
