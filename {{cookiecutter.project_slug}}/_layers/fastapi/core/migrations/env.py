"""How Alembic reaches the database: https://alembic.sqlalchemy.org/en/latest/cookbook.html#using-asyncio-with-alembic"""

import asyncio
import sqlite3

from alembic import context
from sqlalchemy import Connection, event
from sqlalchemy.pool import ConnectionPoolEntry

from app import logs
from app.database import Base, close, writer
from app.items import models as items
from app.jobs import models as jobs
from app.users import models as users

MODELS = (users.User, items.Item, jobs.Job)


def ignore_foreign_keys(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    connection.execute("PRAGMA foreign_keys = OFF")


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        # SQLite cannot alter most of a table, but it can copy it, and undo that.
        render_as_batch=True,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def main() -> None:
    # A table that is copied must not take the rows along that refer to it.
    event.listen(writer.sync_engine, "connect", ignore_foreign_keys, once=True)
    # The writer takes the lock before it reads which migrations have run: of several at once, one does the work.
    async with writer.connect() as connection:
        await connection.run_sync(migrate)
    await close()


logs.configure()
asyncio.run(main())
