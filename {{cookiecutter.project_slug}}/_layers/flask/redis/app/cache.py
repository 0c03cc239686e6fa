"""Where copies are kept: in Redis when CACHE_URL names one. https://redis.readthedocs.io/"""

from typing import cast

from flask_caching import Cache
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app import counts, memory
from app.copies import Copies
from app.environment import PROJECT, environment
from app.guard import Guarded

CACHE = memory.CACHE
COUNTS = memory.COUNTS

# Several projects may share a server. A higher number leaves behind what older releases have cached.
PREFIX = f"{PROJECT['name']}:1:"

# https://redis.io/docs/latest/develop/programmability/eval-intro/
SWAP = """
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
redis.call("SET", KEYS[1], ARGV[2], "EX", ARGV[3])
return 1
"""


def connect(url: str) -> Redis:
    """The connections of all threads: https://redis.readthedocs.io/en/stable/connections.html"""
    return Redis.from_url(
        url, socket_connect_timeout=0.25, socket_timeout=0.25, retry=Retry(NoBackoff(), 0), max_connections=100
    )


class Server:
    """Plain bytes, where Flask-Caching would keep pickles."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._swap = client.register_script(SWAP)

    def get(self, key: str) -> bytes | None:
        return cast("bytes | None", self._client.get(PREFIX + key))

    def add(self, key: str, value: bytes, seconds: int) -> bool:
        return bool(self._client.set(PREFIX + key, value, ex=seconds, nx=True))

    def swap(self, key: str, old: bytes, new: bytes, seconds: int) -> bool:
        return bool(self._swap([PREFIX + key], [old, new, seconds]))

    def delete(self, *keys: str) -> None:
        self._client.delete(*(PREFIX + key for key in keys))


store: Guarded | memory.Memory
if environment.cache_url:
    client = connect(environment.cache_url)
    # https://flask-caching.readthedocs.io/en/latest/#rediscache
    CACHE = {
        "CACHE_TYPE": "RedisCache",
        "CACHE_REDIS_HOST": client,
        "CACHE_KEY_PREFIX": PREFIX,
        "CACHE_DEFAULT_TIMEOUT": 60,
    }
    # https://limits.readthedocs.io/en/stable/storage.html#redis-storage
    COUNTS = {
        "storage_uri": environment.cache_url,
        "storage_options": {"connection_pool": client.connection_pool, "key_prefix": f"{PROJECT['name']}:limits"},
        "strategy": counts.GUARDED,
    }
    cache = Cache(config=CACHE)
    store = Guarded(Server(client))
else:
    cache = Cache(config=CACHE)
    store = memory.Memory(cache)
copies = Copies(store)
