"""How items are read, encoded and compared."""

import hashlib
from functools import cache
from uuid import UUID

from django.http import Http404

from app.cache import copies
from app.compiled import Compiled, Parameter
from app.items import schemas
from app.items.models import PAGES, Item, cache_key
from app.items.rows import Row, encode_item, encode_page

# Comes after every id.
MAX_ID = UUID(int=2**128 - 1)

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
    return encode_page(found, query.limit)


def read(item_id: UUID) -> bytes:
    """The item's JSON, from the cache when it is there."""
    return copies.read_through(cache_key(item_id), lambda: load(item_id))


def load(item_id: UUID) -> bytes:
    for row in one.rows(id=item_id):
        return encode_item(row)
    raise Http404


def encode(item: Item) -> bytes:
    return schemas.Item.model_validate(item).model_dump_json().encode()


def etag(body: bytes) -> str:
    """The strong validator of these bytes (RFC 9110, section 8.8.3)."""
    return f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
