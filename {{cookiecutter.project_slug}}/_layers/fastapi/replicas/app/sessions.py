"""The session of a request, on the primary or on a replica."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.database import postgresql, reading, writing
from app.replicas import ANSWER_SECONDS, URLS, replicas

# The server ends a statement before this process gives it up, unless it hangs.
_engines = [
    postgresql(url, statement_seconds=ANSWER_SECONDS, answer_seconds=ANSWER_SECONDS + 0.2, pool_seconds=ANSWER_SECONDS)
    for url in URLS
]
_reading = [
    async_sessionmaker(engine.execution_options(isolation_level="AUTOCOMMIT"), expire_on_commit=False)
    for engine in _engines
]


class AskPrimaryError(Exception):
    """The replica has failed, or does not have what was looked for, maybe because it is too new."""


async def session(request: Request) -> AsyncIterator[AsyncSession]:
    """Its transaction is committed before the answer is sent, rolled back on any error."""
    replica: int | None = request.scope.get("replica")
    if request.method != "GET":
        async with writing() as session:
            yield session
            await session.commit()
    elif replica is None:
        async with reading() as session:
            yield session
    else:
        async with _reading[replica]() as session:
            try:
                yield session
            except exc.OperationalError as error:
                if not _has_answered(error):
                    replicas.has_failed(replica, error)
                raise AskPrimaryError from error
            except exc.TimeoutError as error:
                raise AskPrimaryError from error
            except HTTPException as error:
                if error.status_code in (401, 404) and session.in_transaction():
                    raise AskPrimaryError from error
                raise


def _has_answered(error: exc.OperationalError) -> bool:
    """Whether the server itself ended the statement: it took too long, or stood in the way of the primary's changes.

    https://www.postgresql.org/docs/current/hot-standby.html#HOT-STANDBY-CONFLICT
    """
    return (getattr(error.orig, "sqlstate", None) or "").startswith(("40", "57014"))


async def close() -> None:
    for engine in _engines:
        await engine.dispose()


# https://fastapi.tiangolo.com/tutorial/dependencies/dependencies-with-yield/#early-exit-and-scope
SessionDep = Annotated[AsyncSession, Depends(session, scope="function")]
