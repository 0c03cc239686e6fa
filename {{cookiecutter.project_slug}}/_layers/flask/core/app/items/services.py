from hashlib import blake2b
from uuid import UUID

from apiflask import abort
from sqlalchemy import select
from werkzeug.datastructures import ETags

from app.cache import copies
from app.copies import version_key
from app.database import db, transaction
from app.items import schemas
from app.items.models import Item
from app.users.models import User

# The first pages, which everybody asks for: one copy for each limit.
PAGES = "items"


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


def create(owner: User, data: schemas.ItemCreate) -> Item:
    item = Item(title=data.title, body=data.body, owner=owner)
    with transaction():
        db.session.add(item)
    copies.forget(version_key(PAGES))
    return item


def update(item_id: UUID, user: User, changes: schemas.ItemUpdate, expected: ETags) -> Item:
    with transaction():
        item = _for_change(item_id, user, expected)
        for name, value in changes.model_dump(exclude_unset=True).items():
            setattr(item, name, value)
    copies.forget(_key(item_id), version_key(PAGES))
    return item


def delete(item_id: UUID, user: User, expected: ETags) -> None:
    with transaction():
        db.session.delete(_for_change(item_id, user, expected))
    copies.forget(_key(item_id), version_key(PAGES))


def _key(item_id: UUID) -> str:
    return f"item:{item_id}"


def _load(item_id: UUID) -> bytes:
    item = db.session.get(Item, item_id)
    if item is None:
        abort(404)
    return encode(item)


def _load_page(limit: int, cursor: UUID | None = None) -> bytes:
    # Ids grow with time.
    query = select(Item).order_by(Item.id.desc()).limit(limit + 1)
    if cursor:
        query = query.where(Item.id < cursor)
    found = [schemas.Item.model_validate(item) for item in db.session.scalars(query)]
    shown = found[:limit]
    page = schemas.ItemPage(items=shown, next_cursor=shown[-1].id if len(found) > limit else None)
    return page.model_dump_json().encode()


def _for_change(item_id: UUID, user: User, expected: ETags) -> Item:
    """The locked item, if the user may change it and it still is as the user expects it (RFC 9110, If-Match)."""
    item = db.session.get(Item, item_id, with_for_update={"of": Item})
    if item is None:
        abort(404)
    if item.owner_id != user.id:
        abort(403, "Only its owner may change an item.")
    if expected and etag(encode(item)) not in expected:
        abort(412)
    return item
