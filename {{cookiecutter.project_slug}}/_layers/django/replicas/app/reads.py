"""Where requests read: from a replica, unless they write or belong to somebody who has just written."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import structlog
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections, models
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse

from app import monitor
from app.cache import copies
from app.environment import environment
from app.loads import LoadedFromPrimary
from app.replicas import replicas

SAFE = ("GET", "HEAD")
# The cookie of those who have written, and how long they read from the primary then.
WROTE = "wrote"
WROTE_SECONDS = 10

logger = structlog.get_logger(__name__)


@dataclass
class Reading:
    """Which replica a request reads from, none for the primary, and whether it has."""

    replica: int | None
    asked: bool = False

    @property
    def alias(self) -> str:
        return DEFAULT_DB_ALIAS if self.replica is None else f"replica_{self.replica}"

    @property
    def from_replica(self) -> bool:
        return self.asked and self.replica is not None


_reading: ContextVar[Reading | None] = ContextVar("reading", default=None)


class Router:
    """https://docs.djangoproject.com/en/6.1/topics/db/multi-db/#using-routers"""

    def db_for_read(self, model: type[models.Model], **hints: object) -> str:
        reading = _reading.get()
        # A transaction reads what it has written.
        if reading is None or connections[DEFAULT_DB_ALIAS].in_atomic_block:
            return DEFAULT_DB_ALIAS
        reading.asked = True
        return reading.alias

    def db_for_write(self, model: type[models.Model], **hints: object) -> str:
        return DEFAULT_DB_ALIAS

    def allow_relation(self, first: models.Model, second: models.Model, **hints: object) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: object) -> bool:
        return db == DEFAULT_DB_ALIAS


class ReadMiddleware:
    """Chooses a replica for each request that only reads, and asks the primary where the replica does not do.

    https://docs.djangoproject.com/en/6.1/topics/http/middleware/
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        if environment.cache_url or environment.web_concurrency == 1:
            copies.store = LoadedFromPrimary(copies.store, use_primary)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method not in SAFE:
            response = self.get_response(request)
            if response.status_code < 400:
                remember(response)
            return response
        monitor.start()
        with reading(None if has_written(request) else replicas.choose()) as chosen:
            response = self.get_response(request)
            if response.status_code in (401, 404) and chosen.from_replica:
                # The row may be so new that the replica does not have it yet.
                use_primary()
                response = self.get_response(request)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Read again from the primary: the client has seen nothing yet."""
        chosen = _reading.get()
        if not (chosen and isinstance(exception, OperationalError) and request.resolver_match):
            return None
        database = connections[chosen.alias]
        if chosen.replica is not None and chosen.asked:
            if database.connection is None or database.connection.closed:
                replicas.has_failed(chosen.replica, exception)
            use_primary()
        elif not getattr(database.connection, "broken", False):
            return None
        logger.warning("connection lost, reading again")
        database.close()
        view, args, kwargs = request.resolver_match
        response: HttpResponseBase = view(request, *args, **kwargs)
        return response.render() if isinstance(response, SimpleTemplateResponse) else response


@contextmanager
def reading(replica: int | None) -> Iterator[Reading]:
    chosen = Reading(replica)
    token = _reading.set(chosen)
    try:
        yield chosen
    finally:
        _reading.reset(token)


def use_primary() -> None:
    """For the rest of this request."""
    if chosen := _reading.get():
        chosen.replica = None


def remember(response: HttpResponseBase) -> None:
    """Let the client read what it has written: its next requests do not go to a replica."""
    response.set_signed_cookie(
        WROTE, "", max_age=WROTE_SECONDS, secure=environment.production, httponly=True, samesite="Lax"
    )


def has_written(request: HttpRequest) -> bool:
    return request.get_signed_cookie(WROTE, default=None, max_age=WROTE_SECONDS) is not None
