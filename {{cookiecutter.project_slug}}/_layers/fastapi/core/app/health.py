"""What probes ask: does the process live, and can it serve?"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy import text
from structlog import get_logger

from app.cache import store
from app.database import reader
from app.handlers import problem_response

TIMEOUT_SECONDS = 1.0

logger = get_logger(__name__)
router = APIRouter(prefix="/health", include_in_schema=False)


async def database_answers() -> bool:
    async with reader.connect() as connection:
        await connection.execute(text("SELECT version_num FROM alembic_version"))
    return True


CHECKS: dict[str, Callable[[], Awaitable[bool]]] = {"database": database_answers, "cache": store.answers}
# Without the others every process still serves: to take them all away would make it worse.
NEEDED = "database"


@router.get("/live")
async def live() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/ready", response_model=None)
async def ready() -> dict[str, Any] | Response:
    checks = (asyncio.wait_for(check(), TIMEOUT_SECONDS) for check in CHECKS.values())
    results = dict(zip(CHECKS, await asyncio.gather(*checks, return_exceptions=True), strict=True))
    if results[NEEDED] is not True:
        logger.error("not ready", **{NEEDED: repr(results[NEEDED])})
        return problem_response(503, f"Not ready: {NEEDED}.")
    return {"status": "ok", "parts": {part: "ok" if result is True else "down" for part, result in results.items()}}
