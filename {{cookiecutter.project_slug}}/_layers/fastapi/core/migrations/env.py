"""How Alembic reaches the database: https://alembic.sqlalchemy.org/en/latest/cookbook.html#using-asyncio-with-alembic"""

import asyncio
import sqlite3
from typing import Any

from alembic import context
from sqlalchemy import Connection, Dialect, event, text
from sqlalchemy.pool import ConnectionPoolEntry

from app import logs
from app.database import Base, close, writer
from app.items import models as items
from app.jobs import models as jobs
from app.users import models as users

MODELS = (users.User, items.Item, jobs.Job)


# Any number, as long as it stays the same: https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
LOCK = 5_290_317


def ignore_foreign_keys(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    # A table that is copied must not take the rows along that refer to it.
    connection.execute("PRAGMA foreign_keys = OFF")


def take_time(_: Dialect, __: ConnectionPoolEntry, ___: Any, options: dict[str, Any]) -> None:  # noqa: ANN401
    # A migration may take as long as it needs, and wait as long as another does.
    options.update(command_timeout=None, server_settings={"statement_timeout": "0"})


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        # SQLite cannot alter most of a table, but it can copy it, and undo that.
        render_as_batch=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        # Of several at once one does the work. On SQLite the writer has taken the lock already.
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            # Whoever waits for a table's lock makes everybody wait who comes after: better give up, and try again.
            connection.execute(text("SET LOCAL lock_timeout = '3s'"))
        context.run_migrations()


async def main() -> None:
    if writer.dialect.name == "sqlite":
        event.listen(writer.sync_engine, "connect", ignore_foreign_keys, once=True)
    else:
        event.listen(writer.sync_engine, "do_connect", take_time, once=True)
    async with writer.connect() as connection:
        await connection.run_sync(migrate)
    await close()


if context.is_offline_mode():
    # `make lint` reads what PostgreSQL would be told, each migration by itself.
    context.configure(dialect_name="postgresql", literal_binds=True, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    logs.configure()
    asyncio.run(main())
