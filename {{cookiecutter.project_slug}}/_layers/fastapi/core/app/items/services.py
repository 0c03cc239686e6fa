from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from fastapi import HTTPException
from sqlalchemy import bindparam, insert, inspect, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.cache import copies
from app.compiled import Compiled
from app.copies import version_key
from app.database import reader, writer
from app.etags import etag, matches
from app.items import schemas
from app.items.models import Item
from app.items.rows import Row, encode_item, encode_page
from app.users.account import Account
from app.users.models import User

type Read = Callable[..., Awaitable[Sequence[Row]]]

_ITEMS = select(Item.id, Item.title, Item.body, User.id, User.name, Item.created_at, Item.updated_at).join(Item.owner)
# Ids grow with time.
_NEWEST = _ITEMS.order_by(Item.id.desc()).limit(bindparam("limit"))
ITEM = Compiled(_ITEMS.where(Item.id == bindparam("id")))
FIRST_PAGE = Compiled(_NEWEST)
NEXT_PAGE = Compiled(_NEWEST.where(Item.id < bindparam("cursor")))
NEW_ITEM: Compiled[()] = Compiled(
    insert(Item).values({column.key: bindparam(column.key) for column in inspect(Item).columns})
)


def encode(item: Item) -> bytes:
    return schemas.Item.model_validate(item).model_dump_json().encode()


async def page(read: Read, limit: int, cursor: UUID | None) -> bytes:
    """The newest items, or those before the cursor."""
    if cursor:
        return encode_page(await read(NEXT_PAGE, limit=limit + 1, cursor=cursor), limit)

    async def load() -> bytes:
        return encode_page(await FIRST_PAGE.run(reader, limit=limit + 1), limit)

    return await copies.page("items", str(limit), load)


async def show(item_id: UUID) -> bytes:
    async def load() -> bytes:
        found = await ITEM.run(reader, id=item_id)
        if not found:
            raise HTTPException(404)
        return encode_item(found[0])

    return await copies.read_through(_key(item_id), load)


async def create(owner: Account, data: schemas.ItemCreate) -> tuple[UUID, bytes]:
    item_id, now = uuid7(), datetime.now(UTC)
    item = {"id": item_id, "title": data.title, "body": data.body, "owner_id": owner.id}
    await NEW_ITEM.run(writer, **item, created_at=now, updated_at=now)
    await copies.forget(version_key("items"))
    return item_id, encode_item((item_id, data.title, data.body, owner.id, owner.name, now, now))


async def update(
    session: AsyncSession, item_id: UUID, user: Account, changes: schemas.ItemUpdate, expected: str | None
) -> Item:
    item = await _for_change(session, item_id, user, expected)
    for name, value in changes.model_dump(exclude_unset=True).items():
        setattr(item, name, value)
    await session.commit()
    await copies.forget(_key(item_id), version_key("items"))
    return item


async def delete(session: AsyncSession, item_id: UUID, user: Account, expected: str | None) -> None:
    await session.delete(await _for_change(session, item_id, user, expected))
    await session.commit()
    await copies.forget(_key(item_id), version_key("items"))


def _key(item_id: UUID) -> str:
    return f"item:{item_id}"


async def _for_change(session: AsyncSession, item_id: UUID, user: Account, expected: str | None) -> Item:
    """The locked item, if the user may change it and it still is as the user expects it (RFC 9110, If-Match)."""
    item = await session.get(Item, item_id, with_for_update={"of": Item})
    if item is None:
        raise HTTPException(404)
    if item.owner_id != user.id:
        raise HTTPException(403, "Only its owner may change an item.")
    if expected is not None and not matches(expected, etag(encode(item))):
        raise HTTPException(412)
    return item
