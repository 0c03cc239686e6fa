from hashlib import blake2b
from uuid import UUID

from apiflask import abort
from sqlalchemy import Integer, bindparam, select
from werkzeug.datastructures import ETags

from app.cache import copies
from app.compiled import Compiled
from app.copies import version_key
from app.database import db, transaction
from app.items import schemas
from app.items.models import Item
from app.items.rows import encode_item, encode_page
from app.users.account import Account
from app.users.models import User

# The first pages, which everybody asks for: one copy for each limit.
PAGES = "items"

_ITEMS = select(Item.id, Item.title, Item.body, User.id, User.name, Item.created_at, Item.updated_at).join(Item.owner)
# Ids grow with time.
_NEWEST = _ITEMS.order_by(Item.id.desc()).limit(bindparam("limit", type_=Integer))
ITEM = Compiled(_ITEMS.where(Item.id == bindparam("id")))
FIRST_PAGE = Compiled(_NEWEST)
NEXT_PAGE = Compiled(_NEWEST.where(Item.id < bindparam("cursor")))


def page(limit: int, cursor: UUID | None) -> bytes:
    """The newest items, or those before the cursor."""
    if cursor:
        return _load_page(limit, cursor)
    return copies.page(PAGES, str(limit), lambda: _load_page(limit))


def encode(item: Item) -> bytes:
    return schemas.Item.model_validate(item).model_dump_json().encode()


def etag(body: bytes) -> str:
    return blake2b(body, digest_size=16).hexdigest()


def show(item_id: UUID) -> bytes:
    return copies.read_through(_key(item_id), lambda: _load(item_id))


def create(owner: Account, data: schemas.ItemCreate) -> tuple[UUID, bytes]:
    item = Item(title=data.title, body=data.body, owner_id=owner.id)
    with transaction():
        db.session.add(item)
    copies.forget(version_key(PAGES))
    row = (item.id, item.title, item.body, owner.id, owner.name, item.created_at, item.updated_at)
    return item.id, encode_item(row)


def update(item_id: UUID, user: Account, changes: schemas.ItemUpdate, expected: ETags) -> Item:
    with transaction():
        item = _for_change(item_id, user, expected)
        for name, value in changes.model_dump(exclude_unset=True).items():
            setattr(item, name, value)
    copies.forget(_key(item_id), version_key(PAGES))
    return item


def delete(item_id: UUID, user: Account, expected: ETags) -> None:
    with transaction():
        db.session.delete(_for_change(item_id, user, expected))
    copies.forget(_key(item_id), version_key(PAGES))


def _key(item_id: UUID) -> str:
    return f"item:{item_id}"


def _load(item_id: UUID) -> bytes:
    rows = ITEM.rows(id=item_id)
    if not rows:
        abort(404)
    return encode_item(rows[0])


def _load_page(limit: int, cursor: UUID | None = None) -> bytes:
    rows = NEXT_PAGE.rows(limit=limit + 1, cursor=cursor) if cursor else FIRST_PAGE.rows(limit=limit + 1)
    return encode_page(rows, limit)


def _for_change(item_id: UUID, user: Account, expected: ETags) -> Item:
    """The locked item, if the user may change it and it still is as the user expects it (RFC 9110, If-Match)."""
    item = db.session.get(Item, item_id, with_for_update={"of": Item})
    if item is None:
        abort(404)
    if item.owner_id != user.id:
        abort(403, "Only its owner may change an item.")
    if expected and etag(encode(item)) not in expected:
        abort(412)
    return item
