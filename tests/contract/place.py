"""A database and an export folder of a test's own, and the processes that use them."""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import psycopg

from tests.baking import BakedProject
from tests.contract.client import (
    Account,
)
from tests.services import Postgres
from tests.serving import Server, running

WEB = ("./entrypoint", "web")

type Value = str | UUID | datetime | None


class Database(Protocol):
    """A database that only one test uses."""

    @property
    def url(self) -> str: ...

    def execute(self, statement: str, *values: Value) -> list[Any]:
        """The rows of a statement with `%s` for each value."""

    def tables(self) -> dict[str, list[str]]:
        """Every table's columns."""

    def locked(self, table: str) -> AbstractContextManager[None]:
        """Somebody else keeps the table from being written to."""


class SQLite:
    """A file."""

    def __init__(self, file: Path, template: "SQLite | None" = None) -> None:
        self.file = file
        self.url = f"sqlite:///{file}"
        if template:
            file.parent.mkdir()
            with closing(sqlite3.connect(template.file)) as source, closing(sqlite3.connect(file)) as copy:
                source.backup(copy)

    def execute(self, statement: str, *values: Value) -> list[Any]:
        with closing(sqlite3.connect(self.file, timeout=10)) as connection, connection:
            return connection.execute(statement.replace("%s", "?"), [_as_written(value) for value in values]).fetchall()

    def tables(self) -> dict[str, list[str]]:
        names = [name for (name,) in self.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: [column[1] for column in self.execute(f'PRAGMA table_info("{name}")')] for name in names}

    @contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """The whole database: SQLite has no smaller lock."""
        with closing(sqlite3.connect(self.file)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield


def _as_written(value: Value) -> str | None:
    """As the three frameworks write it to SQLite, which has neither of these types."""
    match value:
        case UUID():
            return value.hex
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    return value


class PostgreSQL:
    """A database of a server that others use too."""

    def __init__(self, server: Postgres, template: "PostgreSQL | None" = None) -> None:
        self.server = server
        self.name: str = server.create_database(*([template.name] if template else []))
        self.url = server.url(self.name)

    def close(self) -> None:
        self.server.drop_database(self.name)

    def execute(self, statement: str, *values: Value) -> list[Any]:
        with psycopg.connect(self.url) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def tables(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for table, column in self.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        ):
            found.setdefault(table, []).append(column)
        return found

    @contextmanager
    def locked(self, table: str) -> Iterator[None]:
        with psycopg.connect(self.url) as connection:
            connection.execute(f'LOCK TABLE "{table}" IN EXCLUSIVE MODE'.encode())
            yield


class Place:
    """A database and an export folder of a project, apart from what `make run` uses."""

    def __init__(self, project: BakedProject, folder: Path, database: Database) -> None:
        self.project = project
        self.database = database
        self.exports = folder / "exports"
        self.env = project.activated | {
            "DATABASE_URL": database.url,
            "EXPORT_DIR": str(self.exports),
            "LOG_LEVEL": "INFO",
        }

    def migrate(self) -> None:
        self.project.run("./entrypoint", "migrate", env=self.env)

    @contextmanager
    def web(self, **env: str) -> Iterator[Server]:
        with running(self.project, self.env | env, WEB) as server:
            yield server

    def table(self, column: str) -> str:
        """The name of the one table that has this column."""
        (name,) = (name for name, columns in self.database.tables().items() if column in columns)
        return name

    def columns(self, one: str) -> list[str]:
        """The columns of the table that has this one."""
        return self.database.tables()[self.table(one)]

    def job_statuses(self) -> list[str]:
        return [status for (status,) in self.database.execute(f'SELECT status FROM "{self.table("idempotency_key")}"')]


class Seed(NamedTuple):
    database: Database
    owner: Account
    job_id: str
