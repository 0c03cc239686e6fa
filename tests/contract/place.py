"""A database and an export folder of a test's own, and the processes that use them."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.baking import BakedProject
from tests.contract.client import (
    Account,
)
from tests.serving import Server, running

WEB = ("./entrypoint", "web")


class Place:
    """An empty database and export folder of a project, apart from what `make run` uses."""

    def __init__(self, project: BakedProject, folder: Path) -> None:
        self.project = project
        self.database = folder / "data" / "db.sqlite3"
        self.exports = folder / "exports"
        self.env = project.activated | {
            "DATABASE_URL": f"sqlite:///{self.database}",
            "EXPORT_DIR": str(self.exports),
            "LOG_LEVEL": "INFO",
        }

    def migrate(self) -> None:
        self.project.run("./entrypoint", "migrate", env=self.env)

    @contextmanager
    def web(self, **env: str) -> Iterator[Server]:
        with running(self.project, self.env | env, WEB) as server:
            yield server

    def execute(self, statement: str, *values: str | None) -> list[Any]:
        with closing(sqlite3.connect(self.database, timeout=10)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def tables(self) -> dict[str, list[str]]:
        """Every table's columns."""
        names = [name for (name,) in self.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: [column[1] for column in self.execute(f'PRAGMA table_info("{name}")')] for name in names}

    def table(self, column: str) -> str:
        """The name of the one table that has this column."""
        (name,) = (name for name, columns in self.tables().items() if column in columns)
        return name

    def columns(self, one: str) -> list[str]:
        """The columns of the table that has this one."""
        return self.tables()[self.table(one)]

    def job_statuses(self) -> list[str]:
        return [status for (status,) in self.execute(f'SELECT status FROM "{self.table("idempotency_key")}"')]


class Seed(NamedTuple):
    database: Path
    owner: Account
    job_id: str
