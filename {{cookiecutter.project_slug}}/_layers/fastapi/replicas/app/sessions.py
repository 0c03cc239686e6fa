"""What a request reads and writes with, on the primary or on a replica."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request
from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.compiled import Compiled
from app.database import postgresql, reader, reading, writing
from app.replicas import ANSWER_SECONDS, URLS, replicas

# The server ends a statement before this process gives it up, unless it hangs.
_engines = [
    postgresql(url, statement_seconds=ANSWER_SECONDS, answer_seconds=ANSWER_SECONDS + 0.2, pool_seconds=ANSWER_SECONDS)
    for url in URLS
]
_readers = [engine.execution_options(isolation_level="AUTOCOMMIT") for engine in _engines]
_reading = [async_sessionmaker(reader, expire_on_commit=False) for reader in _readers]


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
        with _asking(replica):
            async with _reading[replica]() as session:
                try:
                    yield session
                except HTTPException as error:
                    if error.status_code in (401, 404) and session.in_transaction():
                        raise AskPrimaryError from error
                    raise


async def read[*Columns](
    request: Request,
    query: Compiled[*Columns],
    **values: Any,  # noqa: ANN401
) -> Sequence[tuple[*Columns]]:
    """The rows of a compiled query, from where the request's session would read."""
    replica: int | None = request.scope.get("replica")
    if replica is None:
        return await query.run(reader, **values)
    with _asking(replica):
        rows = await query.run(_readers[replica], **values)
    if not rows:
        raise AskPrimaryError
    return rows


@contextmanager
def _asking(replica: int) -> Iterator[None]:
    try:
        yield
    except exc.OperationalError as error:
        if not _has_answered(error):
            replicas.has_failed(replica, error)
        raise AskPrimaryError from error
    except exc.TimeoutError as error:
        raise AskPrimaryError from error


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
