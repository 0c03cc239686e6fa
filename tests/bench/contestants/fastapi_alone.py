# /// script
# requires-python = ">=3.12"
# dependencies = [
#   "argon2-cffi~=25.1",
#   "asyncpg~=0.32.0",
#   "fastapi~=0.165.0",
#   "orjson~=3.13",
#   "redis[hiredis]~=8.1",
#   "uvicorn[standard]~=0.54.0",
# ]
# [tool.uv]
# exclude-newer = "2026-11-19T00:00:00Z"
# ///
"""The floor's reads as routes of FastAPI, with nothing around them: what the framework itself costs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import asgi_floor as floor
from fastapi import FastAPI, Request, Response


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    await floor.open_pool()
    yield
    await floor.pools[0].close()


application = FastAPI(lifespan=lifespan)


@application.get("/api/v1/items")
async def items(cursor: str | None = None) -> Response:
    return Response(await floor.page(cursor), media_type="application/json")


@application.get("/api/v1/items/{item_id}")
async def item(item_id: UUID, request: Request) -> Response:
    return Response(await floor.show(request.url.path), media_type="application/json")


@application.get("/health/live")
async def live() -> dict[str, str]:
    return {"status": "ok"}


if __name__ == "__main__":
    floor.serve(Path(__file__).stem)
