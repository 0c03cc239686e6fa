"""Answers that are kept for a while, as encoded bytes: https://docs.djangoproject.com/en/6.1/topics/cache/"""

from collections.abc import Callable

from django.core.cache import cache
from django.db import transaction

from app.metrics import CACHE_READS


def read_through(key: str, load: Callable[[], bytes]) -> bytes:
    """The cached bytes, loaded when there are none."""
    body: bytes | None = cache.get(key)
    CACHE_READS.labels("miss" if body is None else "hit").inc()
    if body is None:
        body = load()
        cache.set(key, body)
    return body


def forget_on_commit(key: str) -> None:
    """Drop what is cached as soon as the current transaction is committed."""
    transaction.on_commit(lambda: cache.delete(key))
