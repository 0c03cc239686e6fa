"""How items are read, encoded and compared."""

import hashlib
from uuid import UUID

from django.shortcuts import get_object_or_404

from app.cache import copies
from app.items import schemas
from app.items.models import PAGES, Item, cache_key


def page(query: schemas.PageQuery) -> bytes:
    """A page's JSON; the first one is the one that most ask for, and comes from the cache."""
    if query.cursor:
        return load_page(query)
    return copies.page(PAGES, str(query.limit), lambda: load_page(query))


def load_page(query: schemas.PageQuery) -> bytes:
    items = Item.objects.select_related("owner").only("title", "body", "owner__name", "created_at", "updated_at")
    if query.cursor:
        items = items.filter(id__lt=query.cursor)
    found = list(items[: query.limit + 1])
    shown = found[: query.limit]
    next_cursor = shown[-1].id if len(found) > query.limit else None
    return schemas.ItemPage.model_validate({"items": shown, "next_cursor": next_cursor}).model_dump_json().encode()


def read(item_id: UUID) -> bytes:
    """The item's JSON, from the cache when it is there."""
    return copies.read_through(
        cache_key(item_id),
        lambda: encode(get_object_or_404(Item.objects.select_related("owner"), id=item_id)),
    )


def encode(item: Item) -> bytes:
    return schemas.Item.model_validate(item).model_dump_json().encode()


def etag(body: bytes) -> str:
    """The strong validator of these bytes (RFC 9110, section 8.8.3)."""
    return f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
