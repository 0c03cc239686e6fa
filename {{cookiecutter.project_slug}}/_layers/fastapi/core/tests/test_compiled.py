from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import bindparam, insert, select, text
from sqlalchemy.exc import OperationalError

from app.compiled import Compiled
from app.database import reader, reading, writer, writing
from app.items.models import Item
from app.users.models import User
from tests.conftest import on_postgresql

ROWS = select(Item.id, Item.title, User.name, Item.created_at).join(Item.owner).where(Item.body == bindparam("body"))
AFTER = ROWS.where(Item.id > bindparam("cursor")).order_by(Item.id).limit(bindparam("limit"))


@pytest.fixture
async def items(user: User) -> list[Item]:
    made = [Item(title=f"Tea {number}", body="", owner_id=user.id) for number in range(4)]
    for item in made:
        async with writing.begin() as session:
            session.add(item)
    return made


async def test_what_is_compiled_gives_what_the_session_does(items: list[Item]) -> None:
    after = Compiled(AFTER)
    async with reading() as session:
        for item in items:
            values: dict[str, Any] = {"body": "", "cursor": item.id, "limit": 2}
            expected = (await session.execute(AFTER, values)).all()
            assert [tuple(row) for row in await after.run(reader, **values)] == expected


async def test_nothing_is_found(items: list[Item]) -> None:
    assert not await Compiled(AFTER).run(reader, body="", cursor=uuid4(), limit=0)


async def test_what_is_written_stays(user: User) -> None:
    names = ("id", "created_at", "email", "name", "password")
    values = {name: getattr(user, name) for name in names} | {"id": uuid4(), "email": "new@example.com"}
    await Compiled(insert(User).values({name: bindparam(name) for name in names})).run(writer, **values)
    async with reading() as session:
        assert (await session.get_one(User, values["id"])).email == "new@example.com"


@on_postgresql
async def test_a_connection_that_breaks_is_replaced(items: list[Item]) -> None:
    kill = Compiled(select(text("pg_terminate_backend(pg_backend_pid())")))
    for _ in range(2):
        with pytest.raises(OperationalError):
            await kill.run(reader)
    assert await Compiled(AFTER).run(reader, body="", cursor=items[0].id, limit=1)


@on_postgresql
async def test_an_error_leaves_the_connection_as_it_was(items: list[Item]) -> None:
    divide = Compiled(select(text("1 / 0")))
    for _ in range(2):
        with pytest.raises(asyncpg.DivisionByZeroError):
            await divide.run(reader)
