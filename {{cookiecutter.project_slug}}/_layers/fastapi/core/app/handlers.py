"""Errors become problem documents: https://fastapi.tiangolo.com/tutorial/handling-errors/"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy import exc
from starlette.exceptions import HTTPException
from structlog import get_logger

from app import problems

logger = get_logger(__name__)


def problem_response(
    status: int,
    detail: str | None = None,
    errors: list[problems.FieldError] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    return Response(
        problems.problem(status, detail, errors),
        status,
        {"Cache-Control": "private, no-store", **(headers or {})},
        media_type=problems.MEDIA_TYPE,
    )


async def http_error(request: Request, error: HTTPException) -> Response:
    detail = None if error.detail == HTTPStatus(error.status_code).phrase else error.detail
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and isinstance(request.scope.get("route"), APIRoute):
        headers["Allow"] = ", ".join(_methods(request))
    return problem_response(error.status_code, detail, headers=headers)


def _methods(request: Request) -> list[str]:
    """What the path allows. Starlette names only the methods of the first route that has this path."""
    path = request.scope["route"].path
    return sorted(
        {
            method
            for route in iter_route_contexts(request.app.routes)
            if getattr(route, "path", None) == path
            for method in route.methods or ()
        }
    )


async def invalid_request(_: Request, error: RequestValidationError) -> Response:
    errors = error.errors()
    if any(wrong["loc"][0] == "path" for wrong in errors):
        return problem_response(404)
    if isinstance(error.body, bytes):
        # FastAPI parses only what claims to be JSON.
        return problem_response(415, "The body must be application/json.")
    if errors[0]["type"] == "json_invalid":
        return problem_response(400, "The body is not valid JSON.")
    return problem_response(422, "The request is not valid.", problems.field_errors(errors))


async def database_unreachable(_: Request, error: exc.SQLAlchemyError) -> Response:
    logger.error("database unreachable", error=str(error))
    return problem_response(503)


HANDLERS: dict[int | type[Exception], Any] = {
    HTTPException: http_error,
    RequestValidationError: invalid_request,
    exc.OperationalError: database_unreachable,
    exc.TimeoutError: database_unreachable,
}
