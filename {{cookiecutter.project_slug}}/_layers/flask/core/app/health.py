"""What probes ask: does the process live, and can it serve?"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from flask import Blueprint, Response, copy_current_request_context
from sqlalchemy import text
from structlog import get_logger

from app.cache import cache
from app.database import db
from app.handlers import problem_response

TIMEOUT_SECONDS = 1.0

logger = get_logger(__name__)
health = Blueprint("health", __name__, url_prefix="/health")


def check_database() -> None:
    with db.engine.connect() as connection:
        connection.execute(text("SELECT version_num FROM alembic_version"))


def check_cache() -> None:
    cache.get("health")


CHECKS: dict[str, Callable[[], None]] = {"database": check_database, "cache": check_cache}
_pool = ThreadPoolExecutor(len(CHECKS), thread_name_prefix="health")


@health.get("/live")
def live() -> dict[str, Any]:
    return {"status": "ok"}


@health.get("/ready")
def ready() -> dict[str, Any] | Response:
    checks = {part: _pool.submit(copy_current_request_context(check)) for part, check in CHECKS.items()}
    answered, _ = wait(checks.values(), TIMEOUT_SECONDS)
    errors = {
        part: repr(check.exception()) if check in answered else "no answer in time"
        for part, check in checks.items()
        if check not in answered or check.exception()
    }
    if errors:
        logger.error("not ready", **errors)
        return problem_response(503, f"Not ready: {', '.join(errors)}.")
    return {"status": "ok", "parts": dict.fromkeys(checks, "ok")}
