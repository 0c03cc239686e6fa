"""Tasks that keep an eye on the primary and its replicas."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import asyncpg

from app.environment import environment
from app.replicas import ANSWER_SECONDS, CHECK_SECONDS, REPLAYED, URLS, WRITTEN, replicas


@asynccontextmanager
async def running() -> AsyncIterator[None]:
    tasks = []
    if URLS:
        watch = _watch(environment.database_url, WRITTEN, replicas.primary_has_written, lambda _: None)
        tasks.append(asyncio.create_task(watch))
    for number, url in enumerate(URLS):
        seen, lost = partial(replicas.has_replayed, number), partial(replicas.has_failed, number)
        tasks.append(asyncio.create_task(_watch(url, REPLAYED, seen, lost)))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()


async def _watch(url: str, statement: str, seen: Callable[[Any], None], lost: Callable[[Exception], None]) -> None:
    while True:
        try:
            connection = await asyncpg.connect(
                url, timeout=ANSWER_SECONDS, command_timeout=ANSWER_SECONDS, statement_cache_size=0
            )
            try:
                while True:
                    seen(await connection.fetchval(statement))
                    await asyncio.sleep(CHECK_SECONDS)
            finally:
                connection.terminate()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            lost(error)
        await asyncio.sleep(CHECK_SECONDS)
