"""The database and its sessions: https://docs.sqlalchemy.org/en/21/orm/extensions/asyncio.html"""

import asyncio
import sqlite3
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, cast
from uuid import UUID

import asyncpg
from sqlalchemy import JSON, Connection, ExceptionContext, MetaData, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError, EmulatedDBAPIException, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry, PoolProxiedConnection
from sqlalchemy.util import await_only
from uuid_utils.compat import uuid7

from app.columns import UTCDateTime
from app.environment import environment
from app.silence import Silence


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


def _sqlite() -> tuple[AsyncEngine, AsyncEngine]:
    url = make_url(environment.database_url).set(drivername="sqlite+aiosqlite")
    Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
    options: dict[str, Any] = {"pool_timeout": 5, "hide_parameters": True}
    # A reader sees what was committed when its statement began. There is nothing to commit or to roll back.
    reader = create_async_engine(url, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True, **options)
    # SQLite has one writer at a time: within this process they queue for the one connection.
    writer = create_async_engine(url, pool_size=1, max_overflow=0, connect_args={"isolation_level": None}, **options)
    event.listen(reader.sync_engine, "connect", _prepare)
    event.listen(writer.sync_engine, "connect", _prepare)
    event.listen(writer.sync_engine, "begin", _begin)
    return reader, writer


def _prepare(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    # https://www.sqlite.org/pragma.html
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout = 5000")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    # Takes the write lock at once. A transaction that reads first and writes later would fail, without waiting,
    # whenever another process has written in between.
    # https://docs.sqlalchemy.org/en/21/dialects/sqlite.html#enabling-non-legacy-sqlite-transactional-modes-with-the-sqlite3-or-aiosqlite-driver
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def postgresql(
    url: str, *, answer_seconds: float = 3, statement_seconds: float = 4, pool_seconds: float = 2
) -> AsyncEngine:
    # https://magicstack.github.io/asyncpg/current/api/index.html#connection
    engine = create_async_engine(
        "postgresql+asyncpg://",
        poolclass=_Pool,
        pool_size=environment.database_pool_size,
        max_overflow=0,
        pool_timeout=pool_seconds,
        hide_parameters=True,
        connect_args={
            "async_creator_fn": Silence().connect,
            "dsn": url,
            "timeout": answer_seconds,
            # Nobody waits longer for a statement, even if the server says nothing any more ...
            "command_timeout": answer_seconds,
            # ... and the server does not go on with it for nobody.
            "server_settings": {"statement_timeout": f"{statement_seconds}s"},
            # Leaves no prepared statement in the server: behind PgBouncer each transaction may have another session.
            "statement_cache_size": 0,
        },
    )
    event.listen(engine.sync_engine, "checkout", _replace_if_closed)
    event.listen(engine.sync_engine, "handle_error", _tell_apart)
    return engine


class _Pool(AsyncAdaptedQueuePool):
    """First come, first served. Makes one error of the many ways in which a connection cannot be made."""

    # Or else it would log at this application's level.
    _sqla_logger_namespace = "sqlalchemy.pool"

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, **options)
        # In a crowd the pool's own queue lets newcomers overtake those that wait, again and again.
        self._places = asyncio.Semaphore(self.size())

    def _do_get(self) -> ConnectionPoolEntry:
        place = self._places.acquire()
        try:
            await_only(asyncio.wait_for(place, self.timeout()) if self._places.locked() else place)
        except TimeoutError as error:
            raise PoolTimeoutError("Every connection is in use.") from error
        try:
            return super()._do_get()
        except BaseException:
            self._places.release()
            raise

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        super()._do_return_conn(record)
        self._places.release()

    def connect(self) -> PoolProxiedConnection:
        try:
            return super().connect()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, EmulatedDBAPIException) as error:
            raise OperationalError(None, None, error) from error


def _replace_if_closed(connection: DBAPIConnection, entry: ConnectionPoolEntry, _: PoolProxiedConnection) -> None:
    # A server that stops closes its connections. This sees it without asking the server each time.
    if cast(asyncpg.Connection, entry.driver_connection).is_closed():
        raise DisconnectionError


def _tell_apart(context: ExceptionContext) -> None:
    """Raise what is no fault of the statement as OperationalError, which SQLAlchemy does not do for asyncpg."""
    error = context.original_exception
    if isinstance(error, OSError):
        context.is_disconnect = True
        context.invalidate_pool_on_disconnect = False
    if context.is_disconnect and context.connection and not context.connection.invalidated:
        # Without a goodbye, which could take as long again.
        cast(asyncpg.Connection, context.connection.connection.driver_connection).terminate()
    if isinstance(error, Exception) and (context.is_disconnect or _unavailable(error)):
        raise OperationalError(context.statement, None, error, hide_parameters=True) from error


def give_up(driver: asyncpg.Connection, error: BaseException) -> None:
    """Do the same about an error that the driver itself has raised."""
    lost = driver.is_closed() or not isinstance(error, asyncpg.PostgresError)
    if lost:
        # Nobody knows what it still waits for. The pool will replace it.
        driver.terminate()
    if isinstance(error, Exception) and (lost or _unavailable(error)):
        raise OperationalError(None, None, error, hide_parameters=True) from error


def _unavailable(error: Exception) -> bool:
    # A broken connection, a deadlock, a lack of resources, a lock, a shutdown, a broken disk.
    # https://www.postgresql.org/docs/current/errcodes-appendix.html
    return (getattr(error, "sqlstate", None) or "").startswith(("08", "40", "53", "55", "57", "58"))


if environment.database_url.startswith("sqlite:"):
    reader, writer = _sqlite()
else:
    writer = postgresql(environment.database_url)
    # The same pool. A single statement needs no transaction around it, which would double its round trips.
    reader = writer.execution_options(isolation_level="AUTOCOMMIT")
reading = async_sessionmaker(reader, expire_on_commit=False)
writing = async_sessionmaker(writer, expire_on_commit=False)


async def close() -> None:
    """Close the connections, for which a server that is frozen cannot keep the process alive."""
    with suppress(TimeoutError):
        async with asyncio.timeout(2):
            await reader.dispose()
            await writer.dispose()
