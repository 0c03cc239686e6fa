"""What surrounds every request."""

import logging
import re
import time
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponsePermanentRedirect, UnreadablePostError
from django.http.response import HttpResponseBase
from django.middleware import common

from app import logs, metrics
from app.handlers import as_problem

PROBES = ("/health/", "/metrics")
PRIVATE = ("/api/v1/", *PROBES)

# Past structlog, which has nothing to add to the one line that every request writes.
logger = logging.getLogger(__name__)


def observe(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Give each request an id, a log line and a place in the metrics, and each error the form of a problem."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        request_id = logs.request_id(request.META.get("HTTP_X_REQUEST_ID"))
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = get_response(request)
            failed = response.status_code >= 400
            if failed:
                response = as_problem(response)
                _drain(request)
            elif response.status_code in (204, 304):
                # What has no content has no type and no length (RFC 9110, sections 8.6 and 15.4.5).
                del response["Content-Type"], response["Content-Length"]
            if failed or request.path_info.startswith(PRIVATE):
                response.setdefault("Cache-Control", "private, no-store")
            response["X-Request-ID"] = request_id
            seconds = time.perf_counter() - started
            metrics.observe(request.method or "", _route(request), response.status_code, seconds)
            logger.log(
                logging.DEBUG if request.path_info.startswith(PROBES) else logging.INFO,
                {
                    "event": "request",
                    "method": request.method,
                    "path": request.path,
                    "status": response.status_code,
                    "duration_ms": round(seconds * 1000, 2),
                    "request_id": request_id,
                },
            )
        return response

    return middleware


class CommonMiddleware(common.CommonMiddleware):
    """Django's, but probes and scrapers may address the process by its IP.

    https://docs.djangoproject.com/en/6.1/ref/middleware/#module-django.middleware.common
    """

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        return None if request.path_info.startswith(PROBES) else super().process_request(request)


def _drain(request: HttpRequest) -> None:
    """The server closes a connection on which a body is left: without this, the client's next request would fail."""
    if int(request.META.get("CONTENT_LENGTH") or 0) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
        with suppress(UnreadablePostError):
            request.read()


def _route(request: HttpRequest) -> str | None:
    return _template(request.resolver_match.route) if request.resolver_match else None


@lru_cache
def _template(route: str) -> str:
    """Django's `items/<uuid:id>` as `/items/{id}`."""
    return "/" + re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", route)
