from uuid import UUID

from fastapi import HTTPException
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.cache import copies
from app.copies import version_key
from app.database import reading
from app.etags import etag, matches
from app.items import schemas
from app.items.models import Item
from app.users.models import User


def encode(item: Item) -> bytes:
    return schemas.Item.model_validate(item).model_dump_json().encode()


async def page(session: AsyncSession, limit: int, cursor: UUID | None) -> bytes:
    """The newest items, or those before the cursor. Ids grow with time."""

    async def load() -> bytes:
        async with reading() as reader:
            return await _load_page(reader, limit)

    if cursor:
        return await _load_page(session, limit, cursor)
    return await copies.page("items", str(limit), load)


async def _load_page(session: AsyncSession, limit: int, cursor: UUID | None = None) -> bytes:
    query = select(Item).order_by(Item.id.desc()).limit(limit + 1)
    if cursor:
        query = query.where(Item.id < cursor)
    found = [schemas.Item.model_validate(item) for item in await session.scalars(query)]
    shown = found[:limit]
    page = schemas.ItemPage(items=shown, next_cursor=shown[-1].id if len(found) > limit else None)
    return page.model_dump_json().encode()


async def show(item_id: UUID) -> bytes:
    async def load() -> bytes:
        async with reading() as session:
            item = await session.get(Item, item_id)
        if item is None:
            raise HTTPException(404)
        return encode(item)

    return await copies.read_through(_key(item_id), load)


async def create(session: AsyncSession, owner: User, data: schemas.ItemCreate) -> Item:
    item = Item(title=data.title, body=data.body, owner=owner)
    session.add(item)
    await session.commit()
    await copies.forget(version_key("items"))
    return item


async def update(
    session: AsyncSession, item_id: UUID, user: User, changes: schemas.ItemUpdate, expected: str | None
) -> Item:
    item = await _for_change(session, item_id, user, expected)
    for name, value in changes.model_dump(exclude_unset=True).items():
        setattr(item, name, value)
    await session.commit()
    await copies.forget(_key(item_id), version_key("items"))
    return item


async def delete(session: AsyncSession, item_id: UUID, user: User, expected: str | None) -> None:
    await session.delete(await _for_change(session, item_id, user, expected))
    await session.commit()
    await copies.forget(_key(item_id), version_key("items"))


def _key(item_id: UUID) -> str:
    return f"item:{item_id}"


async def _for_change(session: AsyncSession, item_id: UUID, user: User, expected: str | None) -> Item:
    """The locked item, if the user may change it and it still is as the user expects it (RFC 9110, If-Match)."""
    item = await session.get(Item, item_id, with_for_update={"of": Item})
    if item is None:
        raise HTTPException(404)
    if item.owner_id != user.id:
        raise HTTPException(403, "Only its owner may change an item.")
    if expected is not None and not matches(expected, etag(encode(item))):
        raise HTTPException(412)
    return item
