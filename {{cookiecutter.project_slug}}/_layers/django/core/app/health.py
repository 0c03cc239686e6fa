"""What probes ask: does the process live, and can it serve?"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

import orjson
import structlog
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse

from app.handlers import problem_response

TIMEOUT_SECONDS = 1.0

logger = structlog.get_logger(__name__)


def check_database() -> None:
    """Read a row."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
    finally:
        connection.close()


def check_cache() -> None:
    cache.get("health")


CHECKS: dict[str, Callable[[], None]] = {"database": check_database, "cache": check_cache}
_pool = ThreadPoolExecutor(len(CHECKS), thread_name_prefix="health")


def live(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b'{"status":"ok"}', content_type="application/json")


def ready(request: HttpRequest) -> HttpResponse:
    checks = {part: _pool.submit(check) for part, check in CHECKS.items()}
    answered, _ = wait(checks.values(), TIMEOUT_SECONDS)
    errors = {
        part: repr(check.exception()) if check in answered else "no answer in time"
        for part, check in checks.items()
        if check not in answered or check.exception()
    }
    if errors:
        logger.error("not ready", **errors)
        return problem_response(503, f"Not ready: {', '.join(errors)}.")
    body = orjson.dumps({"status": "ok", "parts": dict.fromkeys(checks, "ok")})
    return HttpResponse(body, content_type="application/json")
