"""The database: https://flask-sqlalchemy.readthedocs.io/"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, Connection, MetaData, event, make_url
from sqlalchemy.orm import DeclarativeBase, registry
from sqlalchemy.pool import ConnectionPoolEntry

from app.columns import UTCDateTime
from app.environment import environment


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


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
migrate = Migrate(db=db)
database_file = Path(make_url(environment.database_url).database or "")


def init_app(app: Flask) -> None:
    database_file.parent.mkdir(parents=True, exist_ok=True)
    db.init_app(app)
    migrate.init_app(app)
    with app.app_context():
        event.listen(db.engine, "connect", _prepare)
        event.listen(db.engine, "begin", _begin)


@contextmanager
def transaction() -> Iterator[None]:
    """A transaction that may write: committed at the end, rolled back on any error.

    It takes SQLite's write lock at once. One that reads first and writes later would fail, without
    waiting, whenever another one has written in between.
    """
    with db.session.begin():
        db.session.connection(execution_options={"sqlite_begin": "BEGIN IMMEDIATE"})
        yield


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
