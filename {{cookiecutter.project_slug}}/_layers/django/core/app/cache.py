"""Answers that are kept for a while, as encoded bytes: https://docs.djangoproject.com/en/6.1/topics/cache/"""

from collections.abc import Callable
from threading import Lock

from django.core.cache import cache
from django.db import transaction

from app.metrics import CACHE_READS

# The keys that are being loaded, each with the mark of the latest load.
_loading: dict[str, object] = {}
_lock = Lock()


def read_through(key: str, load: Callable[[], bytes]) -> bytes:
    """The cached bytes, loaded when there are none."""
    body: bytes | None = cache.get(key)
    CACHE_READS.labels("miss" if body is None else "hit").inc()
    if body is None:
        mark = _loading[key] = object()
        try:
            body = load()
            with _lock:
                # Without its mark it may be older than the change that a deletion told of meanwhile.
                if _loading.get(key) is mark:
                    cache.set(key, body)
        finally:
            _loading.pop(key, None)
    return body


def forget(key: str) -> None:
    """Drop what is cached, and what is being loaded."""
    with _lock:
        _loading.pop(key, None)
        cache.delete(key)


def forget_on_commit(key: str) -> None:
    """Drop what is cached as soon as the current transaction is committed."""
    transaction.on_commit(lambda: forget(key))
