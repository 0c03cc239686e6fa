# /// script
# requires-python = ">=3.12"
# dependencies = [
#   "argon2-cffi~=25.1",
#   "asyncpg~=0.32.0",
#   "orjson~=3.13",
#   "redis[hiredis]~=8.1",
#   "uvicorn[standard]~=0.54.0",
# ]
# [tool.uv]
# exclude-newer = "2026-11-19T00:00:00Z"
# ///
"""The least that an ASGI process can do for the same answers: no framework, no validation, one statement each."""

import asyncio
import os
import re
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import uvicorn
from argon2 import PasswordHasher
from redis.asyncio import Redis

ITEMS, USERS, JOBS = os.environ["TABLES"].split()
LIST = f"""
    SELECT i.id, i.title, i.body, i.created_at, i.updated_at, u.id AS owner_id, u.name AS owner_name
    FROM {ITEMS} i JOIN {USERS} u ON u.id = i.owner_id WHERE i.id < $1 ORDER BY i.id DESC LIMIT 21
"""
SHOW = LIST.replace("i.id < $1 ORDER BY i.id DESC LIMIT 21", "i.id = $1")
PASSWORD = f"SELECT password AS hash FROM {USERS} WHERE email = $1"
hasher = PasswordHasher()
redis = Redis.from_url(os.environ["CACHE_URL"])
pools: list[asyncpg.Pool] = []

type Receive = Callable[[], Awaitable[dict[str, Any]]]
type Send = Callable[[dict[str, Any]], Awaitable[None]]


def item(record: asyncpg.Record) -> dict[str, Any]:
    row = dict(record)
    row["id"] = str(row["id"])
    row["owner"] = {"id": str(row.pop("owner_id")), "name": row.pop("owner_name")}
    return row


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await live(receive, send)
        return
    status, body = await answer(scope["method"], scope["path"], scope["query_string"].decode(), receive)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def open_pool() -> None:
    pools.append(await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=8, max_size=20))


async def live(receive: Receive, send: Send) -> None:
    await receive()
    await open_pool()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await pools[0].close()
    await send({"type": "lifespan.shutdown.complete"})


async def page(cursor: str | None) -> bytes:
    newest = uuid.UUID(cursor or "ffffffff-ffff-ffff-ffff-ffffffffffff")
    found = [item(row) for row in await pools[0].fetch(LIST, newest)]
    return orjson.dumps({"items": found[:20], "next_cursor": found[19]["id"]})


async def show(path: str) -> bytes:
    key = f"floor:{path}"
    cached: bytes | None = await redis.get(key)
    if cached is not None:
        return cached
    body = orjson.dumps(item(await pools[0].fetchrow(SHOW, uuid.UUID(path.rpartition("/")[2]))))
    await redis.set(key, body, ex=60)
    return body


async def answer(method: str, path: str, query: str, receive: Receive) -> tuple[int, bytes]:
    if path == "/api/v1/items" and method == "GET":
        cursor = re.search("cursor=([^&]+)", query)
        return 200, await page(cursor[1] if cursor else None)
    if path.startswith("/api/v1/items/"):
        return 200, await show(path)
    if path == "/health/live":
        return 200, orjson.dumps({"status": "ok"})
    if path.endswith("/tokens"):
        given = orjson.loads((await receive())["body"])
        hashed = await pools[0].fetchval(PASSWORD, given["email"])
        return 200, orjson.dumps({"right": await asyncio.to_thread(hasher.verify, hashed, given["password"])})
    table, fields = (ITEMS, orjson.loads((await receive())["body"])) if path.endswith("/items") else (JOBS, {})
    new = orjson.loads(os.environ[f"NEW_{'ITEM' if table == ITEMS else 'JOB'}"]) | fields | {"id": str(uuid.uuid4())}
    # Texts that PostgreSQL reads as what its columns hold.
    columns = f"INSERT INTO {table} SELECT * FROM json_populate_record(NULL::{table}, $1)"
    await pools[0].execute(columns, orjson.dumps(new).decode())
    return 201, orjson.dumps(new)


def serve(name: str) -> None:
    """Serve the `application` of the module."""
    uvicorn.run(
        f"{name}:application",
        port=int(os.environ["PORT"]),
        workers=int(os.environ["WORKERS"]),
        loop="uvloop",
        http="httptools",
        ws="none",
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    serve(Path(__file__).stem)
