"""Copies inside this process, for as long as there is no server for them."""

from threading import Lock
from typing import Any

from django.core.cache import cache

from app.environment import environment

# https://docs.djangoproject.com/en/6.1/topics/cache/#local-memory-caching
# No process can drop what another one keeps, so several processes go without.
CACHE: dict[str, Any] = (
    {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 10_000}}
    if environment.web_concurrency == 1
    else {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}
)


class Memory:
    def __init__(self) -> None:
        self._lock = Lock()

    def get(self, key: str) -> bytes | None:
        value: bytes | None = cache.get(key)
        return value

    def add(self, key: str, value: bytes, seconds: int) -> bool:
        return cache.add(key, value, seconds)

    def swap(self, key: str, old: bytes, new: bytes, seconds: int) -> bool:
        with self._lock:
            if cache.get(key) != old:
                return False
            cache.set(key, new, seconds)
            return True

    def delete(self, *keys: str) -> None:
        with self._lock:
            cache.delete_many(keys)

    def answers(self) -> bool:
        return True
