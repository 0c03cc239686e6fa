"""How items are read, encoded and compared."""

import hashlib
from uuid import UUID

from django.shortcuts import get_object_or_404

from app import cache
from app.items import schemas
from app.items.models import Item, cache_key


def page(query: schemas.PageQuery) -> schemas.ItemPage:
    items = Item.objects.select_related("owner").only("title", "body", "owner__name", "created_at", "updated_at")
    if query.cursor:
        items = items.filter(id__lt=query.cursor)
    found = list(items[: query.limit + 1])
    shown = found[: query.limit]
    return schemas.ItemPage.model_validate(
        {"items": shown, "next_cursor": shown[-1].id if len(found) > query.limit else None}
    )


def read(item_id: UUID) -> bytes:
    """The item's JSON, from the cache when it is there."""
    return cache.read_through(
        cache_key(item_id),
        lambda: encode(get_object_or_404(Item.objects.select_related("owner"), id=item_id)),
    )


def encode(item: Item) -> bytes:
    return schemas.Item.model_validate(item).model_dump_json().encode()


def etag(body: bytes) -> str:
    """The strong validator of these bytes (RFC 9110, section 8.8.3)."""
    return f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
