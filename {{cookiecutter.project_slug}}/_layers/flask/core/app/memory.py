"""Copies and counts inside this process, for as long as there is no server for them."""

from threading import Lock
from typing import Any

from flask_caching import Cache

from app.environment import environment

# https://flask-caching.readthedocs.io/en/latest/#configuring-flask-caching
# No process can drop what another one keeps, so several processes go without.
CACHE: dict[str, Any] = {
    "CACHE_TYPE": "SimpleCache" if environment.web_concurrency == 1 else "NullCache",
    "CACHE_NO_NULL_WARNING": True,
    "CACHE_DEFAULT_TIMEOUT": 60,
    "CACHE_THRESHOLD": 10_000,
}

# https://flask-limiter.readthedocs.io/en/stable/configuration.html
COUNTS: dict[str, Any] = {"storage_uri": "memory://", "strategy": "sliding-window-counter"}


class Memory:
    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._lock = Lock()

    def get(self, key: str) -> bytes | None:
        value: bytes | None = self._cache.get(key)
        return value

    def add(self, key: str, value: bytes, seconds: int) -> bool:
        return self._cache.add(key, value, seconds)

    def swap(self, key: str, old: bytes, new: bytes, seconds: int) -> bool:
        with self._lock:
            if self._cache.get(key) != old:
                return False
            self._cache.set(key, new, seconds)
            return True

    def delete(self, *keys: str) -> None:
        with self._lock:
            self._cache.delete_many(*keys)

    def answers(self) -> bool:
        return True
