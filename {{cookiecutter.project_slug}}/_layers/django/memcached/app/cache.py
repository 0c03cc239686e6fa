"""Where copies are kept: in Memcached when CACHE_URL names one. https://pymemcache.readthedocs.io/"""

import functools
from typing import Any, override
from urllib.parse import urlsplit

from django.core.cache import cache
from django.core.cache.backends.memcached import PyMemcacheCache
from limits.storage import MemcachedStorage, Storage
from pymemcache import PooledClient  # type: ignore[import-untyped]
from pymemcache.serde import pickle_serde  # type: ignore[import-untyped]

from app import memory
from app.copies import Copies
from app.environment import PROJECT, environment
from app.guard import Guarded

CACHE: dict[str, Any] = memory.CACHE
if environment.cache_url:
    CACHE = {
        "BACKEND": "app.cache.MemcachedCache",
        "LOCATION": environment.cache_url,
        # Several projects may share a server. A higher version leaves behind what older releases have cached.
        "KEY_PREFIX": PROJECT["name"],
        "VERSION": 1,
        "TIMEOUT": 60,
        # https://pymemcache.readthedocs.io/en/latest/apidoc/pymemcache.client.base.html
        "OPTIONS": {
            "connect_timeout": 0.25,
            "timeout": 0.25,
            "no_delay": True,
            "max_pool_size": 100,
            # Seconds. When the server was started again, none of the connections to the old one is left.
            "pool_idle_timeout": 1,
            "default_noreply": False,
            "serde": pickle_serde,
        },
    }

# https://docs.memcached.org/serverguide/configuring/#item-size
MAX_BYTES = 1_000_000


@functools.cache
def connect(url: str) -> PooledClient:
    """The connections of all threads."""
    server = urlsplit(url)
    return PooledClient((server.hostname, server.port or 11211), **CACHE["OPTIONS"])


class MemcachedCache(PyMemcacheCache):
    """Django's, but its connections outlive the request and the thread."""

    @functools.cached_property
    def _cache(self) -> PooledClient:
        return connect(self.client_servers[0])

    @override
    def close(self, **_: object) -> None:
        pass


class Memcached:
    def __init__(self, url: str) -> None:
        self._client = connect(url)

    def get(self, key: str) -> bytes | None:
        value: bytes | None = self._client.get(cache.make_key(key))
        return value

    def add(self, key: str, value: bytes, seconds: int) -> bool:
        return bool(self._client.add(cache.make_key(key), value, seconds))

    def swap(self, key: str, old: bytes, new: bytes, seconds: int) -> bool:
        key = cache.make_key(key)
        found, version = self._client.gets(key)
        if found != old:
            return False
        if len(new) > MAX_BYTES:
            self._client.delete(key)
            return False
        return bool(self._client.cas(key, new, version, seconds))

    def delete(self, *keys: str) -> None:
        self._client.delete_many([cache.make_key(key) for key in keys])


store = Guarded(Memcached(environment.cache_url)) if environment.cache_url else memory.Memory()
copies = Copies(store)


def counters(url: str) -> Storage:
    """Where all processes count tries: https://limits.readthedocs.io/en/stable/storage.html"""
    return MemcachedStorage("memcached://", client_getter=lambda *_: connect(url))
