"""Answers that are kept for a while, as encoded bytes."""

from collections.abc import Awaitable, Callable

from cachetools import TTLCache

from app.environment import environment
from app.metrics import CACHE_READS


class Cache:
    """A cache in this process that lives for `seconds` and holds up to `size` bytes."""

    def __init__(self, size: int, seconds: float) -> None:
        # https://cachetools.readthedocs.io/
        self._values: TTLCache[str, bytes] = TTLCache(size, seconds, getsizeof=len)
        self._deletions = 0

    async def get(self, key: str) -> bytes | None:
        return self._values.get(key)

    async def delete(self, key: str) -> None:
        self._deletions += 1
        self._values.pop(key, None)

    async def read_through(self, key: str, load: Callable[[], Awaitable[bytes | None]]) -> bytes | None:
        """The cached bytes, loaded when there are none."""
        value = await self.get(key)
        CACHE_READS.labels("miss" if value is None else "hit").inc()
        if value is not None:
            return value
        deletions = self._deletions
        value = await load()
        # What was loaded before a deletion may be older than the change that the deletion told of.
        if value is not None and len(value) <= self._values.maxsize and deletions == self._deletions:
            self._values[key] = value
        return value


# A cache inside the process cannot drop what another process has cached, so several processes go without one.
cache = Cache(size=32 * 1024 * 1024 if environment.web_concurrency == 1 else 0, seconds=60)
