"""Rows of items as JSON: the bytes that the schemas would give, without a model for each row."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

# The item's id, title and body, its owner's id and name, when it was made and when it was changed.
type Row = tuple[UUID, str, str, UUID, str, datetime, datetime]


def encode_item(row: Row) -> bytes:
    return _encode(_as_item(row))


def encode_page(rows: Sequence[Row], limit: int) -> bytes:
    """A page of so many rows at most; one more than that tells that there is a next page."""
    next_cursor = rows[limit - 1][0] if len(rows) > limit else None
    return _encode({"items": [_as_item(row) for row in rows[:limit]], "next_cursor": next_cursor})


def _as_item(row: Row) -> dict[str, Any]:
    """What `schemas.Item` says, in the same order."""
    item_id, title, body, owner_id, owner_name, created_at, updated_at = row
    return {
        "id": item_id,
        "title": title,
        "body": body,
        "owner": {"id": owner_id, "name": owner_name},
        "created_at": created_at,
        "updated_at": updated_at,
    }


def _encode(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value, _as_text, orjson.OPT_UTC_Z)


def _as_text(value: object) -> str:
    # A driver may have a class of its own for ids, which orjson does not know.
    if isinstance(value, UUID):
        return str(value)
    raise TypeError
