"""How requests read."""

from collections.abc import Callable

import structlog
from django.db import OperationalError, connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase

logger = structlog.get_logger(__name__)


class ReadMiddleware:
    """Reads once more when the server closed the connection meanwhile: the client has seen nothing yet.

    https://docs.djangoproject.com/en/6.1/topics/http/middleware/#process-exception
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        broken = isinstance(exception, OperationalError) and getattr(connection.connection, "broken", False)
        if not (broken and request.method in ("GET", "HEAD") and request.resolver_match):
            return None
        logger.warning("connection lost, reading again")
        connection.close()
        view, args, kwargs = request.resolver_match
        response: HttpResponseBase = view(request, *args, **kwargs)
        return response
