"""What surrounds every request."""

import logging
import re
import time
from contextlib import suppress
from functools import cache
from urllib.parse import urlsplit

from apiflask import abort
from flask import Flask, Response, g, request
from structlog.contextvars import bind_contextvars, clear_contextvars
from werkzeug.exceptions import RequestEntityTooLarge

from app import logs, metrics
from app.environment import environment
from app.headers import SECURITY_HEADERS

PROBES = ("/health/", "/metrics")
PRIVATE = ("/api/v1/", *PROBES)
HOSTS = {host.strip("[]").lower() for host in environment.allowed_hosts}

# Past structlog, which has nothing to add to the one line that every request writes.
logger = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """https://flask.palletsprojects.com/en/stable/lifecycle/"""
    app.before_request(begin)
    app.before_request(check_host)
    app.before_request(check_path)
    app.after_request(finish)


def begin() -> None:
    g.started = time.perf_counter()
    g.request_id = logs.request_id(request.headers.get("X-Request-ID"))
    # A server's thread keeps its context from one request to the next.
    clear_contextvars()
    bind_contextvars(request_id=g.request_id)


def check_host() -> None:
    """Instead of Flask's TRUSTED_HOSTS: probes and scrapers address the process by its IP, browsers by `[::1]`."""
    if not request.path.startswith(PROBES) and _host() not in HOSTS:
        abort(400, "The Host header names no host of this service.")


def check_path() -> None:
    """Werkzeug drops leading slashes: `//metrics` would show what a load balancer hides by the name `/metrics`."""
    if request.environ["PATH_INFO"].startswith("//"):
        abort(404)


def finish(response: Response) -> Response:
    response.headers.update(SECURITY_HEADERS)
    response.headers["X-Request-ID"] = g.request_id
    if response.status_code >= 400:
        # The server closes a connection on which a body is left, and the client's next request fails.
        with suppress(RequestEntityTooLarge):
            request.stream.read()
    if response.status_code >= 400 or request.path.startswith(PRIVATE):
        response.headers.setdefault("Cache-Control", "private, no-store")
    seconds = time.perf_counter() - g.started
    route = _template(request.url_rule.rule) if request.url_rule else None
    metrics.observe(request.method, route, response.status_code, seconds)
    logger.log(
        logging.DEBUG if request.path.startswith(PROBES) else logging.INFO,
        {
            "event": "request",
            "method": request.method,
            "path": request.path,
            "status": response.status_code,
            "duration_ms": round(seconds * 1000, 2),
            "request_id": g.request_id,
        },
    )
    return response


def _host() -> str | None:
    """The Host header's name, without the port. Werkzeug has emptied a malformed one."""
    return urlsplit(f"//{request.host}").hostname


@cache
def _template(rule: str) -> str:
    """Flask's `/items/<uuid:id>` as `/items/{id}`."""
    return re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule)
