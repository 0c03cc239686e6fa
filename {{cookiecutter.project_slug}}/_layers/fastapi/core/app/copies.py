"""Copies of what the database holds: one request loads, the others wait for it, and no copy outlives a change."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from secrets import token_hex
from typing import Protocol

from app.metrics import CACHE_READS

HITS, MISSES = CACHE_READS.labels("hit"), CACHE_READS.labels("miss")
COPY_SECONDS = 60
# Stands in the place of a copy while it is loaded. No JSON begins with it.
MARK = b"\0"
MARK_SECONDS = 5
WAIT_SECONDS = 2.0
POLL_SECONDS = 0.01


class UnavailableError(Exception):
    """There is no server now, or it says nothing."""


class Store(Protocol):
    """Where copies are kept, by this process or by a server for all. All but `delete` may raise UnavailableError."""

    async def get(self, key: str) -> bytes | None: ...

    async def add(self, key: str, value: bytes, seconds: int) -> bool:
        """Keep the value, if there is none; say whether it is kept."""

    async def swap(self, key: str, old: bytes, new: bytes, seconds: int) -> bool:
        """Keep the new value, if the old one is still there; say whether it is kept."""

    async def delete(self, *keys: str) -> None: ...

    async def close(self) -> None: ...


class Copies:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def read_through(self, key: str, load: Callable[[], Awaitable[bytes]]) -> bytes:
        """The copy; where there is none, what `load` returns, which is kept unless the key is forgotten meanwhile."""
        value, loaded = await self._read(key, load)
        (MISSES if loaded else HITS).inc()
        return value

    async def page(self, group: str, key: str, load: Callable[[], Awaitable[bytes]]) -> bytes:
        """The same for what depends on many rows: all pages of a group are forgotten at once, by `version_key`."""
        version = await self._version(group)

        async def load_page() -> bytes:
            return version + await load()

        value, loaded = await self._read(f"{group}:{key}", load_page, version)
        (MISSES if loaded else HITS).inc()
        return value.removeprefix(version)

    async def forget(self, *keys: str) -> None:
        """Drop copies, and what is being loaded: after the commit of a change and before its answer."""
        await self._store.delete(*keys)

    async def _version(self, group: str) -> bytes:
        new = token_hex(8).encode()
        with suppress(UnavailableError):
            version = await self._store.get(version_key(group))
            if version is None and not await self._store.add(version_key(group), new, COPY_SECONDS):
                version = await self._store.get(version_key(group))
            return version or new
        return new

    async def _read(self, key: str, load: Callable[[], Awaitable[bytes]], version: bytes = b"") -> tuple[bytes, bool]:
        """The value, and whether it had to be loaded here. A copy of another version is none, and not waited for."""
        deadline = time.monotonic() + WAIT_SECONDS
        loading = MARK + version
        with suppress(UnavailableError):
            # A second time, because what was waited for may have been forgotten.
            for _ in range(2):
                value = await self._store.get(key)
                if value is None or not value.startswith((version, loading)):
                    mark = loading + token_hex(8).encode()
                    if await self._claim(key, value, mark):
                        return await self._load(key, mark, load), True
                elif not value.startswith(MARK):
                    return value, False
                value = await self._wait(key, loading, deadline)
                if value is not None and value.startswith(version) and not value.startswith(MARK):
                    return value, False
        return await load(), True

    async def _claim(self, key: str, found: bytes | None, mark: bytes) -> bool:
        if found is None:
            return await self._store.add(key, mark, MARK_SECONDS)
        return await self._store.swap(key, found, mark, MARK_SECONDS)

    async def _load(self, key: str, mark: bytes, load: Callable[[], Awaitable[bytes]]) -> bytes:
        try:
            value = await load()
        except BaseException:
            await self._store.delete(key)
            raise
        # Without the mark the value may be older than the change that made somebody forget the key.
        with suppress(UnavailableError):
            await self._store.swap(key, mark, value, COPY_SECONDS)
        return value

    async def _wait(self, key: str, loading: bytes, deadline: float) -> bytes | None:
        """What somebody else loads; none when it does not come."""
        # More and more seldom: many that wait would only keep each other from going on.
        pause = POLL_SECONDS
        while time.monotonic() < deadline:
            await asyncio.sleep(pause)
            pause = min(2 * pause, 10 * POLL_SECONDS)
            value = await self._store.get(key)
            if value is None or not value.startswith(loading):
                return value
        return None


def version_key(group: str) -> str:
    return f"{group}:version"
