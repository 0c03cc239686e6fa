"""A database, a cache, a broker and an export folder of a test's own, and the processes that use them."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import psycopg

from tests.baking import BakedProject
from tests.contract.client import Account
from tests.contract.variants import Variant
from tests.services import Postgres, RabbitMQ, Replicated, memcached, redis
from tests.serving import Process, Server, running, started

WEB = ("./entrypoint", "web")

type Value = str | int | UUID | datetime | None


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


def _as_written(value: Value) -> str | int | None:
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
    """Servers and an export folder of a project, apart from what `make run` uses."""

    def __init__(self, project: BakedProject, folder: Path, database: Database, **servers: str) -> None:
        self.project = project
        self.database = database
        self.exports = folder / "exports"
        self.servers = {"DATABASE_URL": database.url} | servers
        self.env = project.activated | self.servers | {"EXPORT_DIR": str(self.exports), "LOG_LEVEL": "INFO"}

    @property
    def has_broker(self) -> bool:
        return "BROKER_URL" in self.servers

    def migrate(self) -> None:
        self.project.run("./entrypoint", "migrate", env=self.env)

    @contextmanager
    def web(self, **env: str) -> Iterator[Server]:
        with running(self.project, self.env | env, WEB) as server:
            yield server

    @contextmanager
    def working(self, **env: str) -> Iterator[tuple[Process, Process]]:
        """A worker and a beat."""
        with (
            started(self.project, "./entrypoint", "worker", env=self.env | env) as worker,
            started(self.project, "./entrypoint", "beat", env=self.env | env) as beat,
        ):
            yield worker, beat

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


@dataclass(frozen=True)
class Services:
    """Servers that take long to start, so that places share them; none where everything is inside the process."""

    databases: Replicated | None = None
    broker: RabbitMQ | None = None


type NewPlace = Callable[[Path, Database | None], AbstractContextManager[Place]]


@contextmanager
def new_place(
    project: BakedProject, variant: Variant, services: Services, folder: Path, template: Database | None
) -> Iterator[Place]:
    """A place whose database holds what the template does."""
    if services.databases is None:
        assert isinstance(template, SQLite | None)
        yield Place(project, folder, SQLite(folder / "data" / "db.sqlite3", template))
        return
    assert isinstance(template, PostgreSQL | None)
    with ExitStack() as stack:
        database = stack.enter_context(closing(PostgreSQL(services.databases.primary, template)))
        urls: dict[str, str] = {}
        if variant.database == "postgres-replicas":
            services.databases.caught_up()
            standbys = (standby.url(database.name) for standby in services.databases.standbys)
            urls["DATABASE_REPLICA_URLS"] = ",".join(standbys)
        if variant.cache == "redis":
            urls["CACHE_URL"] = stack.enter_context(redis()).url
        elif variant.cache == "memcached":
            urls["CACHE_URL"] = stack.enter_context(memcached()).url
        if variant.queue == "celery-redis":
            urls["BROKER_URL"] = stack.enter_context(redis()).url
        elif services.broker:
            urls["BROKER_URL"] = services.broker.create_virtual_host()
            stack.callback(services.broker.drop_virtual_host, urls["BROKER_URL"])
        yield Place(project, folder, database, **urls)
