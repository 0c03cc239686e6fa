"""The session of a request."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.database import reading, writing


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
