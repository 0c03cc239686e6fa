"""Errors as problem documents (RFC 9457)."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

MEDIA_TYPE = "application/problem+json"


class FieldError(BaseModel):
    """One bad value. The pointer is a JSON Pointer (RFC 6901) such as `/body/title` or `/query/limit`."""

    pointer: str
    detail: str


class Problem(BaseModel):
    """Why a request failed (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldError] | None = None


def problem(status: int, detail: str | None = None, errors: list[FieldError] | None = None) -> bytes:
    """The JSON of a problem document; the detail defaults to the status's own description."""
    phrase = HTTPStatus(status)
    return (
        Problem(title=phrase.phrase, status=status, detail=detail or phrase.description or phrase.phrase, errors=errors)
        .model_dump_json(exclude_none=True)
        .encode()
    )


def field_errors(errors: Sequence[ErrorDetails | dict[str, Any]], *prefix: str) -> list[FieldError]:
    """Pydantic's errors as pointers and messages, each below `prefix`."""
    return [
        FieldError(
            pointer="".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in (*prefix, *error["loc"])),
            detail=error["msg"],
        )
        for error in errors
    ]
