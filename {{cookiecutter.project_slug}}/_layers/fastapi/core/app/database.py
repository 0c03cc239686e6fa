"""The database and its sessions: https://docs.sqlalchemy.org/en/21/orm/extensions/asyncio.html"""

import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar
from uuid import UUID

from fastapi import Depends, Request
from sqlalchemy import JSON, Connection, MetaData, event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry
from uuid_utils.compat import uuid7

from app.columns import UTCDateTime
from app.environment import environment


class Base(DeclarativeBase):
    """Every table has an id that grows with time, and the time at which a row was made."""

    # https://alembic.sqlalchemy.org/en/latest/naming.html
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {datetime: UTCDateTime, dict[str, Any]: JSON}

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7, sort_order=-1)
    created_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC), sort_order=-1)


_url = make_url(environment.database_url).set(drivername="sqlite+aiosqlite")
Path(_url.database or "").parent.mkdir(parents=True, exist_ok=True)


def _connect(**options: Any) -> AsyncEngine:  # noqa: ANN401
    # Parameters hold addresses and hashes: they stay out of errors and logs.
    engine = create_async_engine(_url, pool_timeout=5, hide_parameters=True, **options)
    event.listen(engine.sync_engine, "connect", _prepare)
    return engine


def _prepare(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    # https://www.sqlite.org/pragma.html
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout = 5000")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


# A reader sees what was committed when its statement began. There is nothing to commit or to roll back.
reader = _connect(isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True)
# SQLite has one writer at a time: within this process they queue for the one connection.
writer = _connect(pool_size=1, max_overflow=0, connect_args={"isolation_level": None})
reading = async_sessionmaker(reader, expire_on_commit=False)
writing = async_sessionmaker(writer, expire_on_commit=False)


@event.listens_for(writer.sync_engine, "begin")
def _begin(connection: Connection) -> None:
    # Takes the write lock at once. A transaction that reads first and writes later would fail, without waiting,
    # whenever another process has written in between.
    # https://docs.sqlalchemy.org/en/21/dialects/sqlite.html#enabling-non-legacy-sqlite-transactional-modes-with-the-sqlite3-or-aiosqlite-driver
    connection.exec_driver_sql("BEGIN IMMEDIATE")


async def close() -> None:
    await reader.dispose()
    await writer.dispose()


async def session(request: Request) -> AsyncIterator[AsyncSession]:
    """The request's session: its transaction is committed before the answer is sent, rolled back on any error."""
    if request.method == "GET":
        async with reading() as session:
            yield session
    else:
        async with writing() as session:
            yield session
            await session.commit()


# https://fastapi.tiangolo.com/tutorial/dependencies/dependencies-with-yield/#early-exit-and-scope
SessionDep = Annotated[AsyncSession, Depends(session, scope="function")]
