"""Statements that run very often, without the price of SQLAlchemy's execution: compiled once, then run by the driver.

They are still written in SQLAlchemy, and still run on a connection of the engine's own pool.
https://docs.sqlalchemy.org/en/21/core/connections.html#working-with-driver-sql-and-raw-dbapi-connections
"""

from collections.abc import Sequence
from typing import Any, cast

import asyncpg
from sqlalchemy import Insert, Select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import give_up, writer


class Compiled[*Columns]:
    """`await Compiled(select(Item.title).where(Item.id < bindparam("cursor"))).run(reader, cursor=id)`"""

    def __init__(self, statement: Select[*Columns] | Insert) -> None:
        compiled = statement.compile(dialect=writer.dialect)
        self.text = str(compiled)
        self._statement, self._names = statement, compiled.positiontup or ()

    async def run(self, engine: AsyncEngine, **values: Any) -> Sequence[tuple[*Columns]]:  # noqa: ANN401
        """The rows, if it gives any. It is a transaction of its own."""
        if engine.dialect.name == "sqlite":
            # It knows neither times nor ids: SQLAlchemy has to make them.
            async with engine.begin() as connection:
                result = await connection.execute(self._statement, values)
                return cast("Sequence[tuple[*Columns]]", result.all() if result.returns_rows else ())
        leased = await engine.raw_connection()
        driver = cast(asyncpg.Connection, leased.driver_connection)
        try:
            # Unnamed, so that it leaves nothing in the server, and reaches it in one message with its values.
            prepared = leased.info.get(self)
            if prepared is None:
                prepared = leased.info[self] = await driver.prepare(self.text)
            return cast("Sequence[tuple[*Columns]]", await prepared.fetch(*self.parameters(values)))
        except BaseException as error:
            leased.info.pop(self, None)
            give_up(driver, error)
            raise
        finally:
            leased.close()

    def parameters(self, values: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(values[name] for name in self._names)
