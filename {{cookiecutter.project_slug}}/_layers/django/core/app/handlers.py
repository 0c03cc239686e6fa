"""Errors become problem documents."""

import sys
from typing import Any

from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import NinjaAPI
from ninja.errors import HttpError, Throttled, ValidationError

from app import problems


def problem_response(
    status: int,
    detail: str | None = None,
    errors: list[problems.FieldError] | None = None,
    headers: dict[str, str] | None = None,
) -> HttpResponse:
    body = problems.problem(status, detail, errors)
    return HttpResponse(body, status=status, content_type=problems.MEDIA_TYPE, headers=headers)


def as_problem(response: HttpResponseBase) -> HttpResponseBase:
    """The same error as a problem, where Django, Ninja or WhiteNoise answered with something else."""
    if response.get("Content-Type") == problems.MEDIA_TYPE:
        return response
    return problem_response(response.status_code, headers={"Allow": response["Allow"]} if "Allow" in response else None)


def install(api: NinjaAPI) -> None:
    """https://django-ninja.dev/guides/errors/"""
    api.exception_handler(HttpError)(_http_error)
    api.exception_handler(ValidationError)(_validation_error)
    api.exception_handler(Http404)(not_found)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return problem_response(413)
    if isinstance(exception, DisallowedHost):
        return problem_response(400, "The Host header names no host of this service.")
    return problem_response(400)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return problem_response(404)


def server_error(request: HttpRequest) -> HttpResponse:
    return problem_response(503 if isinstance(sys.exception(), OperationalError) else 500)


def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    # Ninja takes whatever its parser raises for unparseable JSON.
    cause = error.__cause__
    if isinstance(cause, HttpError):
        error = cause
    headers = {}
    if error.status_code == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Throttled):
        headers["Retry-After"] = str(error.wait)
    return problem_response(error.status_code, str(error), headers=headers)


def _validation_error(request: HttpRequest, error: ValidationError) -> HttpResponse:
    if any(problem["loc"][0] == "path" for problem in error.errors):
        return problem_response(404)
    if not request.body and error.errors[-1]["loc"][0] == "body":
        return problem_response(400, "The body is empty.")
    return problem_response(422, errors=problems.field_errors([_pointed(problem) for problem in error.errors]))


def _pointed(error: dict[str, Any]) -> dict[str, Any]:
    """Drop the name of the view's argument, which Ninja puts before a body's own fields."""
    source, *rest = error["loc"]
    return error | {"loc": (source, *rest[1:]) if source == "body" else error["loc"]}
