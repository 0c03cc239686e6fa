"""What surrounds every request: plain ASGI, https://www.starlette.dev/middleware/#pure-asgi-middleware"""

import logging
import re
import time
from functools import lru_cache

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog import get_logger
from structlog.contextvars import bind_contextvars, clear_contextvars

from app import logs, metrics
from app.environment import environment
from app.handlers import problem_response
from app.headers import SECURITY_HEADERS

MAX_BODY_BYTES = 1_048_576
PROBES = ("/health/", "/metrics")
PRIVATE = ("/api/v1/", *PROBES)
HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]+)?")

# Encoded once, not for every answer.
ENCODED_HEADERS = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]

logger = get_logger(__name__)
# Past structlog, which has nothing to add to the one line that every request writes.
access_log = logging.getLogger(__name__)


def header(scope: Scope, name: bytes) -> str:
    """The first header of this lower-case name, or nothing. To decode all of them takes longer."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return ""


class Observation:
    """Gives each request an id, its answer the headers that all have, and writes down how it went."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started = time.perf_counter()
        path = scope["path"]
        request_id = logs.request_id(header(scope, b"x-request-id"))
        clear_contextvars()
        bind_contextvars(request_id=request_id)
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message["headers"], *ENCODED_HEADERS, (b"x-request-id", request_id.encode())]
                if path.startswith(PRIVATE) and b"cache-control" not in dict(message["headers"]):
                    headers.append((b"cache-control", b"private, no-store"))
                message["headers"] = headers
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except Exception:
            if status:
                # The answer has begun: only the server can break it off.
                raise
            logger.exception("unexpected error")
            await problem_response(500)(scope, receive, send_with_headers)
        finally:
            seconds = time.perf_counter() - started
            metrics.observe(scope["method"], getattr(scope.get("route"), "path", None), status, seconds)
            access_log.log(
                logging.DEBUG if path.startswith(PROBES) else logging.INFO,
                {
                    "event": "request",
                    "method": scope["method"],
                    "path": path,
                    "status": status,
                    "duration_ms": round(seconds * 1000, 2),
                    "request_id": request_id,
                },
            )


@lru_cache(maxsize=1024)
def known(host: str) -> bool:
    """Whether the host is allowed. An allowed `.example.com` stands for example.com and every host below it."""
    name = HOST.fullmatch(host.lower())
    return name is not None and any(
        name[1] == allowed or (allowed.startswith(".") and f".{name[1]}".endswith(allowed))
        for allowed in environment.allowed_hosts
    )


class KnownHosts:
    """Refuses requests for other hosts. Probes and scrapers may address the process by its IP."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(PROBES) or known(header(scope, b"host")):
            await self.app(scope, receive, send)
        else:
            refusal = problem_response(400, "The Host header names no host of this service.")
            await refusal(scope, receive, send)


class BodyLimit:
    """Refuses large bodies. FastAPI's own `max_body_size` would answer in plain text and out of sight of the log."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        received = 0

        async def receive_within_limit() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                raise HTTPException(413)
            return message

        if scope["type"] == "http" and int(header(scope, b"content-length") or 0) > MAX_BODY_BYTES:
            await problem_response(413)(scope, receive, send)
        else:
            await self.app(scope, receive_within_limit, send)
