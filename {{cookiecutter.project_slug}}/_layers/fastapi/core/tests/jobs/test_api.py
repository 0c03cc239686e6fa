import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from httpx import AsyncClient

from app.environment import environment
from tests.conftest import Headers, assert_problem


async def export(client: AsyncClient, headers: Headers, key: str | None = None) -> dict[str, Any]:
    key_header = {} if key is None else {"Idempotency-Key": key}
    response = await client.post("/api/v1/exports", headers=headers | key_header)
    assert response.status_code == 202, response.text
    job: dict[str, Any] = response.json()
    assert response.headers["Location"] == f"/api/v1/jobs/{job['id']}"
    return job


async def test_export(
    client: AsyncClient, headers: Headers, other_headers: Headers, finished: Callable[[], Awaitable[None]]
) -> None:
    for owner in (headers, headers, other_headers):
        await client.post("/api/v1/items", json={"title": "Þé\n", "body": ""}, headers=owner)
    job = await export(client, headers)
    assert (job["kind"], job["status"], job["result"], job["finished_at"]) == ("export", "pending", None, None)
    await finished()
    done = (await client.get(f"/api/v1/jobs/{job['id']}", headers=headers)).json()
    file = environment.export_dir / f"{job['id']}.jsonl"
    assert done["status"] == "succeeded"
    assert done["result"] == {"file": file.name, "items": 2, "bytes": file.stat().st_size}
    assert done["finished_at"] > done["created_at"]
    items = (await client.get("/api/v1/items")).json()["items"]
    assert [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] == items[:0:-1]


async def test_the_same_key_gives_the_same_job(client: AsyncClient, headers: Headers, other_headers: Headers) -> None:
    jobs = await asyncio.gather(*(export(client, headers, "key") for _ in range(8)))
    assert len({job["id"] for job in jobs}) == 1
    others = [(headers, None), (headers, "other"), (other_headers, "key")]
    jobs = [jobs[0], *[await export(client, owner, key) for owner, key in others]]
    assert len({job["id"] for job in jobs}) == 4


@pytest.mark.parametrize("key", ["", "x" * 256, "a\tb"])
async def test_bad_key(client: AsyncClient, headers: Headers, key: str) -> None:
    response = await client.post("/api/v1/exports", headers=headers | {"Idempotency-Key": key})
    assert_problem(response, 422, "/header/Idempotency-Key")


async def test_a_job_is_its_owners_secret(client: AsyncClient, headers: Headers, other_headers: Headers) -> None:
    path = f"/api/v1/jobs/{(await export(client, headers))['id']}"
    assert_problem(await client.get(path), 401)
    assert_problem(await client.get(path, headers=other_headers), 404)
    assert_problem(await client.get(f"/api/v1/jobs/{uuid4()}", headers=headers), 404)
    assert_problem(await client.get("/api/v1/jobs/7", headers=headers), 404)
    assert_problem(await client.post("/api/v1/exports"), 401)
