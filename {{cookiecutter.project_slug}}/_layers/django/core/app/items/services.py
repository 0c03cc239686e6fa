"""How items are read, encoded and compared."""

import hashlib
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from django.http import Http404

from app.cache import copies
from app.compiled import Compiled, Parameter
from app.items import schemas
from app.items.models import PAGES, Item, cache_key

# Comes after every id.
MAX_ID = UUID(int=2**128 - 1)

type Row = tuple[UUID, str, str, UUID, str, datetime, datetime]

rows = Item.objects.values_list("id", "title", "body", "owner_id", "owner__name", "created_at", "updated_at")
one = Compiled(rows.filter(id=Parameter(Item._meta.pk, "id")))


@cache
def newest(count: int) -> Compiled[Row]:
    return Compiled(rows.filter(id__lt=Parameter(Item._meta.pk, "cursor"))[:count])


def page(query: schemas.PageQuery) -> bytes:
    """A page's JSON; the first one is the one that most ask for, and comes from the cache."""
    if query.cursor:
        return load_page(query)
    return copies.page(PAGES, str(query.limit), lambda: load_page(query))


def load_page(query: schemas.PageQuery) -> bytes:
    found = newest(query.limit + 1).rows(cursor=query.cursor or MAX_ID)
    shown = found[: query.limit]
    next_cursor = shown[-1][0] if len(found) > query.limit else None
    return to_json({"items": [as_schema(row) for row in shown], "next_cursor": next_cursor})


def read(item_id: UUID) -> bytes:
    """The item's JSON, from the cache when it is there."""
    return copies.read_through(cache_key(item_id), lambda: load(item_id))


def load(item_id: UUID) -> bytes:
    for row in one.rows(id=item_id):
        return to_json(as_schema(row))
    raise Http404


def as_schema(row: Row) -> dict[str, Any]:
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


def to_json(value: dict[str, Any]) -> bytes:
    """The bytes that the schema would give, sooner: these values need no validation."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)


def encode(item: Item) -> bytes:
    return schemas.Item.model_validate(item).model_dump_json().encode()


def etag(body: bytes) -> str:
    """The strong validator of these bytes (RFC 9110, section 8.8.3)."""
    return f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
