"""Where copies are kept: in Memcached when CACHE_URL names one. https://memcachio.readthedocs.io/"""

import asyncio
from urllib.parse import urlsplit

from limits.aio.storage import MemcachedStorage, MemoryStorage, Storage
from memcachio import Client

from app.copies import Copies
from app.environment import PROJECT, environment
from app.guard import Guarded
from app.memcached import OneConnection
from app.memory import Memory

# Several projects may share a server. A higher number leaves behind what older releases have cached.
PREFIX = f"{PROJECT['name']}:1:"
# https://docs.memcached.org/serverguide/configuring/#item-size
MAX_BYTES = 1_000_000


class Server:
    def __init__(self, pool: OneConnection) -> None:
        self._pool = pool
        self._client = Client(connection_pool=pool, decode_responses=False)

    async def get(self, key: str) -> bytes | None:
        for item in (await self._client.get(PREFIX + key)).values():
            return item.value
        return None

    async def add(self, key: str, value: bytes, seconds: int) -> bool:
        return await self._client.add(PREFIX + key, value, expiry=seconds)

    async def swap(self, key: str, old: bytes, new: bytes, seconds: int) -> bool:
        for item in (await self._client.gets(PREFIX + key)).values():
            if item.value == old and item.cas is not None:
                if len(new) <= MAX_BYTES:
                    return await self._client.cas(PREFIX + key, new, item.cas, expiry=seconds)
                await self._client.delete(PREFIX + key)
        return False

    async def delete(self, *keys: str) -> None:
        await asyncio.gather(*(self._client.delete(PREFIX + key) for key in keys))

    async def close(self) -> None:
        self._pool.close()


store: Guarded | Memory = Memory()
counters: Storage = MemoryStorage()
if environment.cache_url:
    url = urlsplit(environment.cache_url)
    pool = OneConnection((url.hostname or "", url.port or 11211))
    store = Guarded(Server(pool))
    # https://limits.readthedocs.io/en/stable/api.html#limits.aio.storage.MemcachedStorage
    counters = MemcachedStorage("memcached://", connection_pool=pool)  # type: ignore[arg-type]
copies = Copies(store)
