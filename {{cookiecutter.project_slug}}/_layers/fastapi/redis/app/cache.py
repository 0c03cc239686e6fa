"""Where copies are kept: in Redis when CACHE_URL names one. https://redis.readthedocs.io/"""

from typing import cast

from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from app.copies import Copies
from app.environment import PROJECT, environment
from app.guard import CALLS_AT_ONCE, Guarded
from app.memory import Memory

# Several projects may share a server. A higher number leaves behind what older releases have cached.
PREFIX = f"{PROJECT['name']}:1:"

# https://redis.io/docs/latest/develop/programmability/eval-intro/
SWAP = """
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
redis.call("SET", KEYS[1], ARGV[2], "EX", ARGV[3])
return 1
"""


def connect(url: str) -> Redis:
    """The connections of all requests: https://redis.readthedocs.io/en/stable/connections.html#async-client"""
    return Redis.from_url(
        url,
        max_connections=CALLS_AT_ONCE,
        # The guard limits the time.
        socket_connect_timeout=None,
        socket_timeout=None,
        # Without them a connection is ready at once.
        protocol=2,
        driver_info=None,
        retry=Retry(NoBackoff(), 0),
    )


class Server:
    def __init__(self, client: Redis) -> None:
        self._client = client
        self._swap = client.register_script(SWAP)

    async def get(self, key: str) -> bytes | None:
        return cast("bytes | None", await self._client.get(PREFIX + key))

    async def add(self, key: str, value: bytes, seconds: int) -> bool:
        return bool(await self._client.set(PREFIX + key, value, ex=seconds, nx=True))

    async def swap(self, key: str, old: bytes, new: bytes, seconds: int) -> bool:
        return bool(await self._swap([PREFIX + key], [old, new, seconds]))

    async def delete(self, *keys: str) -> None:
        await self._client.delete(*(PREFIX + key for key in keys))

    async def close(self) -> None:
        await self._client.aclose()


store: Guarded | Memory = Memory()
counters: Storage = MemoryStorage()
if environment.cache_url:
    client = connect(environment.cache_url)
    store = Guarded(Server(client))
    # https://limits.readthedocs.io/en/stable/api.html#limits.aio.storage.RedisStorage
    counters = RedisStorage(
        environment.cache_url,
        implementation="redispy",
        connection_pool=client.connection_pool,  # type: ignore[arg-type]
    )
copies = Copies(store)
