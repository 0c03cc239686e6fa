"""Errors become problem documents."""

import math
import time

from apiflask import APIFlask, HTTPError
from flask import Response
from flask_limiter import RateLimitExceeded
from structlog import get_logger
from werkzeug.http import HTTP_STATUS_CODES

from app.database import UNREACHABLE
from app.limits import limiter
from app.problems import MEDIA_TYPE, FieldError, problem

logger = get_logger(__name__)


def init_app(app: APIFlask) -> None:
    """https://flask.palletsprojects.com/en/stable/errorhandling/"""
    app.error_processor(http_error)
    app.register_error_handler(RateLimitExceeded, too_many_requests)
    for error in UNREACHABLE:
        app.register_error_handler(error, database_unreachable)


def problem_response(status: int, detail: str | None = None, errors: list[FieldError] | None = None) -> Response:
    return Response(problem(status, detail, errors), status, content_type=MEDIA_TYPE)


def http_error(error: HTTPError) -> Response:
    """`abort(422, detail=[FieldError(...)])` says what is wrong with each field."""
    detail = None if error.message == HTTP_STATUS_CODES[error.status_code] else error.message
    response = problem_response(error.status_code, detail, error.detail or None)
    response.headers.update(error.headers)
    return response


def too_many_requests(error: RateLimitExceeded) -> Response:
    free_at = max(limit.window.reset_time for limit in limiter.current_limits if limit.breached)
    response = problem_response(429, f"No more than {error.description}.")
    response.headers["Retry-After"] = max(1, math.ceil(free_at - time.time()))
    return response


def database_unreachable(error: Exception) -> Response:
    logger.error("database unreachable", error=str(error))
    return problem_response(503)
