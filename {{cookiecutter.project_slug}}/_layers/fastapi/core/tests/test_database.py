import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from fastapi import FastAPI, HTTPException
from httpx import ASGITransport, AsyncClient
from sqlalchemy import func, select

from app.database import Base, SessionDep, close, reader, reading, writer
from app.users.models import User
from tests.conftest import Headers, assert_problem

service = FastAPI()


@service.post("/refused")
async def refuse(session: SessionDep) -> None:
    session.add(User(email="refused@example.com", name="Refused", password=""))
    await session.flush()
    raise HTTPException(400)


@service.post("/unwritable")
async def write_what_cannot_be_written(session: SessionDep) -> None:
    session.add(User(email=None, name="Unwritable", password=""))


@contextmanager
def a_folder_instead_of(file: Path) -> Iterator[None]:
    away = file.rename(file.with_suffix(".away"))
    file.mkdir()
    yield
    file.rmdir()
    away.rename(file)


async def users() -> int:
    async with reading() as session:
        return await session.scalar(select(func.count()).select_from(User)) or 0


async def post(path: str) -> int:
    transport = ASGITransport(service, raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url="http://localhost") as other:
        return (await other.post(path)).status_code


async def test_an_error_rolls_back(client: AsyncClient) -> None:
    assert await post("/refused") == 400
    assert await users() == 0


async def test_nobody_is_told_of_success_before_the_commit(client: AsyncClient) -> None:
    assert await post("/unwritable") == 500
    assert await users() == 0


async def test_writers_wait_for_each_other(client: AsyncClient, headers: Headers) -> None:
    item = {"title": "Tea", "body": ""}
    responses = await asyncio.gather(*(client.post("/api/v1/items", json=item, headers=headers) for _ in range(50)))
    assert {response.status_code for response in responses} == {201}


async def test_every_connection_is_prepared(client: AsyncClient) -> None:
    for engine in (reader, writer):
        async with engine.connect() as connection:
            pragmas = ("journal_mode", "foreign_keys", "busy_timeout")
            values = [(await connection.exec_driver_sql(f"PRAGMA {pragma}")).scalar_one() for pragma in pragmas]
        assert values == ["wal", 1, 5000]


async def test_a_database_that_is_gone_is_503_until_it_is_back(client: AsyncClient, headers: Headers) -> None:
    await close()
    with a_folder_instead_of(Path(reader.url.database or "")):
        assert_problem(await client.get("/api/v1/items"), 503)
        assert_problem(await client.post("/api/v1/exports", headers=headers), 503)
    assert (await client.get("/api/v1/items")).status_code == 200


async def test_the_migrations_lead_to_the_models(client: AsyncClient) -> None:
    async with reader.connect() as connection:
        differences = await connection.run_sync(
            lambda connection: compare_metadata(MigrationContext.configure(connection), Base.metadata)
        )
    assert differences == []
