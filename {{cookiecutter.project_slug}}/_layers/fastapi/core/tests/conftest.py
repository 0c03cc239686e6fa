"""The whole application, its lifespan included, on a real database in a folder of its own."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from ipaddress import IPv6Address
from typing import Any
from uuid import uuid4

import pytest
from alembic import command
from alembic.config import Config
from httpx import ASGITransport, AsyncClient, Response
from sqlalchemy import delete, event
from sqlalchemy.ext.asyncio import AsyncEngine

from app import tokens
from app.cache import copies
from app.compiled import Compiled
from app.copies import version_key
from app.database import reader, writer, writing
from app.environment import BASE_DIR
from app.main import app
from app.passwords import hash_password
from app.queue import queue
from app.users.models import User

PASSWORD = "correct horse battery staple"
HASHED = hash_password(PASSWORD)
SQLITE = writer.dialect.name == "sqlite"
# On PostgreSQL readers and writers share one pool, and what happens in it.
POOLS = (reader, writer) if SQLITE else (writer,)

on_sqlite = pytest.mark.skipif(not SQLITE, reason="is about SQLite")
on_postgresql = pytest.mark.skipif(SQLITE, reason="is about PostgreSQL")

type Headers = dict[str, str]
type Statements = list[tuple[str, Any]]


@pytest.fixture(scope="session")
def database() -> None:
    command.upgrade(Config(BASE_DIR / "alembic.ini"), "head")


@pytest.fixture(scope="session")
async def started(database: None) -> AsyncIterator[None]:
    async with app.router.lifespan_context(app):
        yield


@pytest.fixture
def address() -> str:
    """Where nobody has tried anything yet."""
    return str(IPv6Address(uuid4().int))


@pytest.fixture
async def client(started: None, address: str) -> AsyncIterator[AsyncClient]:
    """Anybody, over HTTP, at an empty database."""
    await copies.forget(version_key("items"))
    async with AsyncClient(transport=ASGITransport(app, client=(address, 0)), base_url="http://localhost") as client:
        yield client
    await queue.finish()
    async with writing.begin() as session:
        await session.execute(delete(User))


@pytest.fixture
def new_user(client: AsyncClient) -> Callable[[], Awaitable[User]]:
    async def create() -> User:
        async with writing.begin() as session:
            user = User(email=f"{uuid4().hex}@example.com", name="Ada Lovelace", password=HASHED)
            session.add(user)
        return user

    return create


@pytest.fixture
async def user(new_user: Callable[[], Awaitable[User]]) -> User:
    return await new_user()


@pytest.fixture
def headers(user: User) -> Headers:
    return bearer(user)


@pytest.fixture
async def other_headers(new_user: Callable[[], Awaitable[User]]) -> Headers:
    return bearer(await new_user())


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[Statements]:
    """The statements that the test has run and their parameters, without those that begin transactions."""
    seen: Statements = []
    run = Compiled.run

    def record_compiled(query: Compiled[*tuple[Any, ...]], engine: AsyncEngine, **values: object) -> Awaitable[object]:
        if not SQLITE:
            # SQLAlchemy does not see what the driver runs.
            seen.append((query.text, query.parameters(values)))
        return run(query, engine, **values)

    monkeypatch.setattr(Compiled, "run", record_compiled)

    def record(connection: object, cursor: object, statement: str, parameters: object, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            seen.append((statement, parameters))

    for engine in POOLS:
        event.listen(engine.sync_engine, "before_cursor_execute", record)
    yield seen
    for engine in POOLS:
        event.remove(engine.sync_engine, "before_cursor_execute", record)


async def wait_for_a_new_minute() -> None:
    """Unless this one still lasts: what counts tries by the minute weighs the minute before."""
    left = 60 - time.time() % 60
    if left < 2:
        await asyncio.sleep(left)


def bearer(user: User) -> Headers:
    return {"Authorization": f"Bearer {tokens.issue(user.id)}"}


def assert_problem(response: Response, status: int, *pointers: str) -> None:
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Cache-Control"] == "private, no-store"
    problem = response.json()
    assert problem["status"] == status
    assert [error["pointer"] for error in problem.get("errors", [])] == list(pointers)
