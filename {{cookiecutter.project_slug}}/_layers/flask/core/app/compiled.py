"""Queries that are compiled once: for the few reads that are asked for most.

Building the statement and entities of its rows takes SQLAlchemy several times as long as the database needs.
https://docs.sqlalchemy.org/en/21/core/connections.html#invoking-driver-sql-direct-to-the-dbapi-cursor
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from sqlalchemy import Select
from sqlalchemy.sql.compiler import SQLCompiler

from app import reads

type Process = Callable[[Any], Any]


class Compiled[*Columns]:
    """`Compiled(select(Item.title).where(Item.id < bindparam("cursor"))).rows(cursor=id)`"""

    def __init__(self, query: Select[*Columns]) -> None:
        self._query = query

    def rows(self, **values: object) -> list[tuple[*Columns]]:
        """The rows, over a connection of the session's pool. What the session has not committed is not among them."""
        with reads.engine().connect() as connection:
            found = connection.exec_driver_sql(self._statement.string, self._parameters(values)).all()
        columns = zip(self._loaders, zip(*found, strict=True), strict=False)
        return list(zip(*(map(load, column) if load else column for load, column in columns), strict=True))

    def _parameters(self, values: dict[str, object]) -> dict[str, Any] | tuple[Any, ...]:
        parameters = self._statement.construct_params(values)
        for name, dump in self._dumpers.items():
            parameters[name] = dump(parameters[name])
        names = self._statement.positiontup
        return dict(parameters) if names is None else tuple(parameters[name] for name in names)

    @cached_property
    def _statement(self) -> SQLCompiler:
        return self._query.compile(reads.engine())

    # How the columns' types differ from the driver's.

    @cached_property
    def _dumpers(self) -> dict[str, Process]:
        dialect = self._statement.dialect
        binds = {name: bind.type.dialect_impl(dialect) for bind, name in self._statement.bind_names.items()}
        return {name: dump for name, type_ in binds.items() if (dump := type_.bind_processor(dialect))}

    @cached_property
    def _loaders(self) -> list[Process | None]:
        dialect = self._statement.dialect
        types = (column.type.dialect_impl(dialect) for column in self._query.selected_columns)
        return [type_.result_processor(dialect, None) for type_ in types]
