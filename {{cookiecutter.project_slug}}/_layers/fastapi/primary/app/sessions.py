"""What a request reads and writes with."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.compiled import Compiled
from app.database import reader, reading, writing


async def session(request: Request) -> AsyncIterator[AsyncSession]:
    """Its transaction is committed before the answer is sent, rolled back on any error."""
    if request.method == "GET":
        async with reading() as session:
            yield session
    else:
        async with writing() as session:
            yield session
            await session.commit()


# https://fastapi.tiangolo.com/tutorial/dependencies/dependencies-with-yield/#early-exit-and-scope
SessionDep = Annotated[AsyncSession, Depends(session, scope="function")]


async def read[*Columns](
    _: Request,
    query: Compiled[*Columns],
    **values: Any,  # noqa: ANN401
) -> Sequence[tuple[*Columns]]:
    """The rows of a compiled query, from where the request's session would read."""
    return await query.run(reader, **values)
