"""The least that a process can do for the same answers: the same server and driver, one statement, no framework."""

import os
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import uvicorn
from starlette.types import Receive, Scope, Send

from bench.queries import ITEM, LIST

pools: list[asyncpg.Pool] = []


async def rows(query: str, item_id: str) -> list[dict[str, Any]]:
    found = [dict(row) for row in await pools[0].fetch(query, UUID(item_id))]
    for row in found:
        row["owner"] = {"id": row.pop("owner_id"), "name": row.pop("owner_name")}
    return found


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await receive()
        pools.append(await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=8, max_size=20))
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await pools[0].close()
        await send({"type": "lifespan.shutdown.complete"})
        return
    path, query = scope["path"], scope["query_string"].decode()
    answer: dict[str, Any] = {"status": "ok"}
    if query:
        items = await rows(LIST, query.removeprefix("cursor="))
        answer = {"items": items[:20], "next_cursor": items[19]["id"]}
    elif path.startswith("/api/v1/items/"):
        (answer,) = await rows(ITEM, path.rpartition("/")[2])
    # asyncpg has a class of its own for ids, which orjson does not know.
    body = orjson.dumps(answer, str)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    uvicorn.run(application, port=int(os.environ["PORT"]), log_level="warning", access_log=False)
