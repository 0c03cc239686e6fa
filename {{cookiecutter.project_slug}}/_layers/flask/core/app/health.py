"""What probes ask: does the process live, and can it serve?"""

from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from flask import Blueprint, Response, copy_current_request_context
from sqlalchemy import text
from structlog import get_logger

from app.cache import store
from app.database import db, read
from app.handlers import problem_response

TIMEOUT_SECONDS = 1.0

logger = get_logger(__name__)
health = Blueprint("health", __name__, url_prefix="/health")


def check_database() -> None:
    read(lambda: db.session.execute(text("SELECT version_num FROM alembic_version")))


def check_cache() -> None:
    if not store.answers():
        raise ConnectionError


# Without these no request can be served. Without the others requests only take longer.
NEEDED = {"database"}
CHECKS: dict[str, Callable[[], None]] = {"database": check_database, "cache": check_cache}
# A part that hangs does not keep the others from answering.
_pools: dict[str, ThreadPoolExecutor] = defaultdict(lambda: ThreadPoolExecutor(1, thread_name_prefix="health"))


@health.get("/live")
def live() -> dict[str, Any]:
    return {"status": "ok"}


@health.get("/ready")
def ready() -> dict[str, Any] | Response:
    checks = {part: _pools[part].submit(copy_current_request_context(check)) for part, check in CHECKS.items()}
    answered, late = wait(checks.values(), TIMEOUT_SECONDS)
    for check in late:
        check.cancel()
    errors = {
        part: repr(check.exception()) if check in answered else "no answer in time"
        for part, check in checks.items()
        if check not in answered or check.exception()
    }
    if NEEDED & errors.keys():
        logger.error("not ready", **errors)
        return problem_response(503, f"Not ready: {', '.join(errors)}.")
    return {"status": "ok", "parts": {part: "down" if part in errors else "ok" for part in checks}}
