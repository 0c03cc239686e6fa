"""What probes ask: does the process live, and can it serve?"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

import orjson
import structlog
from django.db import connection
from django.http import HttpRequest, HttpResponse

from app import cache
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
    if not cache.store.answers():
        raise ConnectionError("the cache's server does not answer")


CHECKS: dict[str, Callable[[], None]] = {"database": check_database, "cache": check_cache}
# Without the others the service does its work. A server that all processes lack must not take all of them out of the
# load balancer.
NEEDED = {"database"}
_pool = ThreadPoolExecutor(thread_name_prefix="health")


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
    if NEEDED & errors.keys():
        logger.error("not ready", **errors)
        return problem_response(503, f"Not ready: {', '.join(errors)}.")
    parts = {part: "down" if part in errors else "ok" for part in checks}
    return HttpResponse(orjson.dumps({"status": "ok", "parts": parts}), content_type="application/json")
