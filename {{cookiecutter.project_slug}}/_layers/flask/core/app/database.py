"""The database: https://flask-sqlalchemy.readthedocs.io/"""

import fcntl
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from psycopg.errors import ConnectionTimeout
from sqlalchemy import JSON, Connection, MetaData, NullPool, create_engine, event, exc, func, make_url, select
from sqlalchemy.orm import DeclarativeBase, registry
from sqlalchemy.pool import ConnectionPoolEntry

from app import postgresql
from app.columns import UTCDateTime
from app.environment import environment

# What a statement raises when the database cannot be reached, has no time, or the pool has no connection.
UNREACHABLE = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError)

# Any number, as long as it is always the same.
MIGRATION_LOCK = 5_432_001

SQLITE = environment.database_url.startswith("sqlite")
if SQLITE:
    _settings: dict[str, Any] = {}
    _reading: dict[str, Any] = {}
    # One that reads first and writes later would fail, without waiting, whenever another one has written in between.
    _writing: dict[str, Any] = {"sqlite_begin": "BEGIN IMMEDIATE"}
else:
    _settings = {
        # A statement outside `transaction()` costs one round trip instead of three. It cannot write.
        "isolation_level": "AUTOCOMMIT",
        "skip_autocommit_rollback": True,
        "connect_args": {
            "connect_timeout": postgresql.CONNECT_SECONDS,
            # The driver gives times in the connection's time zone, and UTC at a third of another one's cost.
            "options": f"-c statement_timeout={postgresql.STATEMENT_SECONDS}s -c default_transaction_read_only=on"
            " -c TimeZone=UTC",
            # PgBouncer may run every transaction on another connection of its own, which knows no such statement.
            "prepare_threshold": None,
        },
    }
    _reading = {"isolation_level": "READ COMMITTED"}
    _writing = {"isolation_level": "READ COMMITTED", "postgresql_readonly": False}


class Base(DeclarativeBase):
    registry = registry(
        # https://alembic.sqlalchemy.org/en/latest/naming.html
        metadata=MetaData(
            naming_convention={
                "ix": "ix_%(column_0_N_label)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
                "pk": "pk_%(table_name)s",
            }
        ),
        type_annotation_map={datetime: UTCDateTime, dict[str, Any]: JSON},
    )


# https://docs.sqlalchemy.org/en/21/core/engines.html
ENGINE: dict[str, Any] = {
    "pool_size": environment.database_pool_size,
    "max_overflow": 0,
    "pool_timeout": 2,
    # Parameters hold addresses and hashes: they stay out of errors and logs.
    "hide_parameters": True,
    **_settings,
}
db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False}, engine_options=ENGINE)
migrate = Migrate(db=db)


def init_app(app: Flask) -> None:
    if SQLITE:
        _file().parent.mkdir(parents=True, exist_ok=True)
    db.init_app(app)
    migrate.init_app(app)
    with app.app_context():
        if SQLITE:
            event.listen(db.engine, "connect", _prepare)
            event.listen(db.engine, "begin", _begin)
        else:
            event.listen(db.engine, "do_connect", postgresql.connect)


@contextmanager
def transaction(*, read_only: bool = False) -> Iterator[None]:
    """A transaction that may write: committed at the end, rolled back on any error.

    With `read_only` it does not lock SQLite's other writers out while it lasts.
    """
    with db.session.begin():
        db.session.connection(execution_options=_reading if read_only else _writing)
        yield


def read[T](query: Callable[[], T]) -> T:
    """Call what only reads, a second time when its connection has died in the pool: the database has restarted.

    To ask each connection before its use whether it lives would cost every request a round trip.
    """
    try:
        return query()
    except exc.DBAPIError as error:
        if not error.connection_invalidated or isinstance(error.orig, ConnectionTimeout):
            raise
        db.session.remove()
        return query()


@contextmanager
def migrating() -> Iterator[Connection]:
    """A connection that changes the tables, one at a time from wherever migrations are started."""
    if SQLITE:
        with _file().with_suffix(".lock").open("w") as lock, db.engine.connect() as connection:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield connection
        return
    # None of the limits on a request's statements.
    options = {"connect_timeout": postgresql.CONNECT_SECONDS, "prepare_threshold": None}
    engine = create_engine(environment.database_url, poolclass=NullPool, connect_args=options)
    event.listen(engine, "begin", _lock)
    with engine.connect() as connection:
        yield connection


def _lock(connection: Connection) -> None:
    connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
    # While a migration waits for a table, all requests for this table wait behind it.
    connection.exec_driver_sql("SET LOCAL lock_timeout = '3s'")


def _file() -> Path:
    return Path(make_url(environment.database_url).database or "")


def _prepare(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    # SQLAlchemy begins the transactions:
    # https://docs.sqlalchemy.org/en/21/dialects/sqlite.html#enabling-non-legacy-sqlite-transactional-modes-with-the-sqlite3-or-aiosqlite-driver
    connection.isolation_level = None
    # https://www.sqlite.org/pragma.html
    connection.execute("PRAGMA busy_timeout = 5000")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))
