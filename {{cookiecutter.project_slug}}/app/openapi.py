"""What the OpenAPI document says beyond the routes' own types."""

from http import HTTPStatus
from typing import Any

from app import problems

_HEADERS = {
    "Cache-Control": "Who may store the answer, and for how long.",
    "ETag": "The version of the representation (RFC 9110).",
    "Location": "Where the new resource is.",
    "Retry-After": "Seconds to wait before the next try.",
    "WWW-Authenticate": "How to authenticate (RFC 6750).",
}
_PROBLEM_HEADERS = {HTTPStatus.UNAUTHORIZED: "WWW-Authenticate", HTTPStatus.TOO_MANY_REQUESTS: "Retry-After"}


def headers(*names: str) -> dict[str, Any]:
    """The OpenAPI objects of these response headers."""
    return {name: {"description": _HEADERS[name], "schema": {"type": "string"}} for name in names}


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI responses of a route that may fail with these statuses."""
    return {
        int(status): {
            "description": status.phrase,
            "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        | ({"headers": headers(_PROBLEM_HEADERS[status])} if status in _PROBLEM_HEADERS else {})
        for status in map(HTTPStatus, statuses)
    }
