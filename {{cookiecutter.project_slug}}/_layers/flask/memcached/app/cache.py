"""Where copies are kept: in Memcached when CACHE_URL names one. https://pymemcache.readthedocs.io/"""

from urllib.parse import urlsplit

from flask_caching import Cache
from pymemcache import PooledClient  # type: ignore[import-untyped]
from pymemcache.serde import pickle_serde  # type: ignore[import-untyped]

from app import counts, memory
from app.copies import Copies
from app.environment import PROJECT, environment
from app.guard import Guarded

CACHE = memory.CACHE
COUNTS = memory.COUNTS

# Several projects may share a server. A higher number leaves behind what older releases have cached.
PREFIX = f"{PROJECT['name']}:1:"

# https://docs.memcached.org/serverguide/configuring/#item-size
MAX_BYTES = 1_000_000


def connect(url: str) -> PooledClient:
    """The connections of all threads: https://pymemcache.readthedocs.io/en/latest/apidoc/pymemcache.client.base.html"""
    server = urlsplit(url)
    return PooledClient(
        (server.hostname, server.port or 11211),
        connect_timeout=0.25,
        timeout=0.25,
        no_delay=True,
        max_pool_size=100,
        # Seconds. When the server was started again, none of the connections to the old one is left.
        pool_idle_timeout=1,
        default_noreply=False,
        # Bytes stay as they are.
        serde=pickle_serde,
    )


class Server:
    def __init__(self, client: PooledClient) -> None:
        self._client = client

    def get(self, key: str) -> bytes | None:
        value: bytes | None = self._client.get(PREFIX + key)
        return value

    def add(self, key: str, value: bytes, seconds: int) -> bool:
        return bool(self._client.add(PREFIX + key, value, seconds))

    def swap(self, key: str, old: bytes, new: bytes, seconds: int) -> bool:
        found, version = self._client.gets(PREFIX + key)
        if found != old:
            return False
        if len(new) > MAX_BYTES:
            self._client.delete(PREFIX + key)
            return False
        return bool(self._client.cas(PREFIX + key, new, version, seconds))

    def delete(self, *keys: str) -> None:
        self._client.delete_many([PREFIX + key for key in keys])


store: Guarded | memory.Memory
if environment.cache_url:
    client = connect(environment.cache_url)
    # https://flask-caching.readthedocs.io/en/latest/#memcachedcache
    CACHE = {
        "CACHE_TYPE": "MemcachedCache",
        "CACHE_MEMCACHED_SERVERS": client,
        "CACHE_KEY_PREFIX": PREFIX,
        "CACHE_DEFAULT_TIMEOUT": 60,
    }
    # https://limits.readthedocs.io/en/stable/storage.html#memcached-storage
    COUNTS = {
        "storage_uri": "memcached://",
        "storage_options": {"client_getter": lambda *_: client},
        "strategy": counts.GUARDED,
        "key_prefix": PROJECT["name"],
    }
    cache = Cache(config=CACHE)
    store = Guarded(Server(client))
else:
    cache = Cache(config=CACHE)
    store = memory.Memory(cache)
copies = Copies(store)
