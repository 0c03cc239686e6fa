"""Copies inside this process, for as long as there is no server for them."""

from contextlib import suppress

from cachetools import TLRUCache

from app.environment import environment

# No process can drop what another one keeps, so several processes go without.
MAX_BYTES = 32 * 1024 * 1024 if environment.web_concurrency == 1 else 0


class Memory:
    """Holds what was used last: https://cachetools.readthedocs.io/en/stable/#cachetools.TLRUCache"""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        # Each value with the seconds that it lives.
        self._values: TLRUCache[str, tuple[bytes, int]] = TLRUCache(
            max_bytes, ttu=lambda _, value, now: now + value[1], getsizeof=lambda value: len(value[0])
        )

    async def get(self, key: str) -> bytes | None:
        found = self._values.get(key)
        return found[0] if found else None

    async def add(self, key: str, value: bytes, seconds: int) -> bool:
        if key in self._values:
            return False
        self._keep(key, value, seconds)
        return True

    async def swap(self, key: str, old: bytes, new: bytes, seconds: int) -> bool:
        if await self.get(key) != old:
            return False
        self._keep(key, new, seconds)
        return True

    async def delete(self, *keys: str) -> None:
        for key in keys:
            self._values.pop(key, None)

    async def close(self) -> None:
        pass

    async def answers(self) -> bool:
        return True

    def _keep(self, key: str, value: bytes, seconds: int) -> None:
        self._values.pop(key, None)
        # What is larger than all the room is not kept.
        with suppress(ValueError):
            self._values[key] = (value, seconds)
