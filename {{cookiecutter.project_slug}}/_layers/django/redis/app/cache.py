"""Where copies are kept: in Redis when CACHE_URL names one. https://github.com/jazzband/django-redis"""

from typing import Any

from django.core.cache import cache
from django_redis import get_redis_connection  # type: ignore[import-untyped]
from limits.storage import RedisStorage, Storage
from redis.backoff import NoBackoff
from redis.retry import Retry

from app import memory
from app.copies import Copies
from app.environment import PROJECT, environment
from app.guard import Guarded

CACHE: dict[str, Any] = memory.CACHE
if environment.cache_url:
    CACHE = {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": environment.cache_url,
        # Several projects may share a server. A higher version leaves behind what older releases have cached.
        "KEY_PREFIX": PROJECT["name"],
        "VERSION": 1,
        "TIMEOUT": 60,
        "OPTIONS": {
            "SOCKET_CONNECT_TIMEOUT": 0.25,
            "SOCKET_TIMEOUT": 0.25,
            # https://redis.readthedocs.io/en/stable/connections.html#redis.connection.ConnectionPool
            "CONNECTION_POOL_KWARGS": {"max_connections": 100, "retry": Retry(NoBackoff(), 0)},
        },
    }

# https://redis.io/docs/latest/develop/programmability/eval-intro/
SWAP = """
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
redis.call("SET", KEYS[1], ARGV[2], "EX", ARGV[3])
return 1
"""


class Redis:
    """Plain bytes, where Django's cache would keep pickles."""

    def get(self, key: str) -> bytes | None:
        value: bytes | None = get_redis_connection().get(cache.make_key(key))
        return value

    def add(self, key: str, value: bytes, seconds: int) -> bool:
        return bool(get_redis_connection().set(cache.make_key(key), value, ex=seconds, nx=True))

    def swap(self, key: str, old: bytes, new: bytes, seconds: int) -> bool:
        return bool(get_redis_connection().eval(SWAP, 1, cache.make_key(key), old, new, seconds))

    def delete(self, *keys: str) -> None:
        get_redis_connection().delete(*map(cache.make_key, keys))


store = Guarded(Redis()) if environment.cache_url else memory.Memory()
copies = Copies(store)


def counters(url: str) -> Storage:
    """Where all processes count tries: https://limits.readthedocs.io/en/stable/storage.html"""
    return RedisStorage(url, connection_pool=get_redis_connection().connection_pool)
