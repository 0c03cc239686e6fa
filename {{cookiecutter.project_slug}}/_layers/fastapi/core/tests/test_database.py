import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from fastapi import FastAPI, HTTPException
from httpx import ASGITransport, AsyncClient
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import OperationalError

from app import silence
from app.database import Base, close, postgresql, reader, reading, writer, writing
from app.sessions import SessionDep
from app.users.models import User
from tests.conftest import Headers, assert_problem, on_postgresql, on_sqlite

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


@asynccontextmanager
async def connecting(**options: Any) -> AsyncIterator[None]:  # noqa: ANN401
    """Connections are made anew, with these options instead of the application's."""

    def change(_: object, __: object, ___: object, chosen: dict[str, Any]) -> None:
        chosen.update(options)

    await close()
    event.listen(writer.sync_engine, "do_connect", change)
    yield
    event.remove(writer.sync_engine, "do_connect", change)
    await close()


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


@on_sqlite
async def test_every_connection_is_prepared(client: AsyncClient) -> None:
    for engine in (reader, writer):
        async with engine.connect() as connection:
            pragmas = ("journal_mode", "foreign_keys", "busy_timeout")
            values = [(await connection.exec_driver_sql(f"PRAGMA {pragma}")).scalar_one() for pragma in pragmas]
        assert values == ["wal", 1, 5000]


@on_sqlite
async def test_a_file_that_is_gone_is_503_until_it_is_back(client: AsyncClient, headers: Headers) -> None:
    await close()
    with a_folder_instead_of(Path(reader.url.database or "")):
        assert_problem(await client.get("/api/v1/items"), 503)
        assert_problem(await client.post("/api/v1/exports", headers=headers), 503)
    assert (await client.get("/api/v1/items")).status_code == 200


@on_postgresql
async def test_a_server_that_is_gone_is_503_until_it_is_back(
    client: AsyncClient, headers: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "PAUSE_SECONDS", 0)
    silent = socket.create_server(("127.0.0.1", 0))
    async with connecting(host="127.0.0.1", port=silent.getsockname()[1], timeout=0.2):
        assert_problem(await client.get("/api/v1/items"), 503)
        silent.close()
        assert_problem(await client.get("/api/v1/items"), 503)
        assert_problem(await client.post("/api/v1/exports", headers=headers), 503)
    assert (await client.get("/api/v1/items")).status_code == 200


async def test_a_silent_server_is_not_asked_by_every_request() -> None:
    asked = 0

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    engine = postgresql(f"postgresql://someone@127.0.0.1:{port}/somewhere?sslmode=disable", answer_seconds=0.1)
    for tries in (1, 2):
        for _ in range(5):
            with pytest.raises(OperationalError):
                await engine.connect()
        assert asked == tries
        await asyncio.sleep(silence.PAUSE_SECONDS)
    await engine.dispose()
    server.close()


@on_postgresql
async def test_nobody_notices_connections_that_the_server_has_closed(client: AsyncClient, headers: Headers) -> None:
    await asyncio.gather(*(client.get("/api/v1/items") for _ in range(5)))
    async with reader.connect() as connection:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        await connection.execute(text(f"{others} AND pid <> pg_backend_pid()"))
    await asyncio.sleep(0.1)
    assert (await client.get("/api/v1/items")).status_code == 200
    assert (await client.post("/api/v1/exports", headers=headers)).status_code == 202


@on_postgresql
async def test_a_server_that_stops_answering_is_left(client: AsyncClient) -> None:
    async with connecting(command_timeout=0.2):
        async with writing() as session:
            with pytest.raises(OperationalError):
                await session.execute(text("SELECT pg_sleep(5)"))
        assert (await client.get("/api/v1/items")).status_code == 200


@on_postgresql
async def test_a_slow_statement_is_ended(client: AsyncClient) -> None:
    async with writing.begin() as session:
        assert await session.scalar(text("SHOW statement_timeout")) == "4s"
        await session.execute(text("SET LOCAL statement_timeout = '10ms'"))
        with pytest.raises(OperationalError):
            await session.execute(text("SELECT pg_sleep(5)"))
        await session.rollback()


@on_postgresql
async def test_nothing_is_left_in_the_server(client: AsyncClient, headers: Headers) -> None:
    async with connecting():
        for _ in range(2):
            await client.post("/api/v1/items", json={"title": "Tea", "body": ""}, headers=headers)
            await client.get("/api/v1/items")
        async with reader.connect() as connection:
            assert await connection.scalar(text("SELECT count(*) FROM pg_prepared_statements")) == 0


async def test_the_migrations_lead_to_the_models(client: AsyncClient) -> None:
    async with reader.connect() as connection:
        differences = await connection.run_sync(
            lambda connection: compare_metadata(MigrationContext.configure(connection), Base.metadata)
        )
    assert differences == []
