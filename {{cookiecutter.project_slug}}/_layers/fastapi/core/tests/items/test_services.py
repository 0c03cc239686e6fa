from collections.abc import Awaitable, Callable, Sequence

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from app.database import reading, writing
from app.items import schemas, services
from app.items.models import Item
from app.users.models import User
from tests.items.samples import STRANGE, TIMES


@pytest.fixture
async def items(new_user: Callable[[], Awaitable[User]]) -> Sequence[Item]:
    """Items whose JSON is not as simple as others', the newest first."""
    for time in TIMES:
        user = await new_user()
        async with writing.begin() as session:
            owner = await session.merge(user)
            owner.name = STRANGE
            session.add(Item(title=STRANGE, body=STRANGE * 3, owner=owner, created_at=time, updated_at=time))
    async with reading() as session:
        return (await session.scalars(select(Item).order_by(Item.id.desc()))).all()


async def test_an_item_is_read_as_its_schema_says(client: AsyncClient, items: Sequence[Item]) -> None:
    for item in items:
        assert (await client.get(f"/api/v1/items/{item.id}")).content == services.encode(item)


@pytest.mark.parametrize("limit", [1, 2, 3, 20])
async def test_a_page_is_read_as_its_schema_says(client: AsyncClient, items: Sequence[Item], limit: int) -> None:
    for cursor in (None, items[0].id, items[-1].id):
        older = [item for item in items if cursor is None or item.id < cursor]
        page = {"items": older[:limit], "next_cursor": older[limit - 1].id if len(older) > limit else None}
        encoded = schemas.ItemPage.model_validate(page).model_dump_json().encode()
        query = {"limit": str(limit)} | ({"cursor": str(cursor)} if cursor else {})
        assert (await client.get("/api/v1/items", params=query)).content == encoded
