"""What probes ask: does the process live, and can it serve?"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import text
from structlog import get_logger

from app.cache import cache
from app.database import reader
from app.handlers import problem_response

TIMEOUT_SECONDS = 1.0

logger = get_logger(__name__)
router = APIRouter(prefix="/health", include_in_schema=False)


async def check_database() -> None:
    async with reader.connect() as connection:
        await connection.execute(text("SELECT version_num FROM alembic_version"))


async def check_cache() -> None:
    await cache.get("health")


CHECKS: dict[str, Callable[[], Awaitable[None]]] = {"database": check_database, "cache": check_cache}


@router.get("/live")
async def live() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/ready", response_model=None)
async def ready() -> dict[str, Any] | Response:
    checks = (asyncio.wait_for(check(), TIMEOUT_SECONDS) for check in CHECKS.values())
    results = await asyncio.gather(*checks, return_exceptions=True)
    errors = {part: repr(result) for part, result in zip(CHECKS, results, strict=True) if result}
    if errors:
        logger.error("not ready", **errors)
        return problem_response(503, f"Not ready: {', '.join(errors)}.")
    return {"status": "ok", "parts": dict.fromkeys(CHECKS, "ok")}
