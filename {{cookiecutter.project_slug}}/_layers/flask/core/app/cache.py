"""Answers that are kept for a while, as encoded bytes: https://flask-caching.readthedocs.io/"""

from collections.abc import Callable

from flask_caching import Cache

from app.metrics import CACHE_READS

cache = Cache()


def read_through(key: str, load: Callable[[], bytes]) -> bytes:
    """The cached bytes, loaded when there are none."""
    body: bytes | None = cache.get(key)
    CACHE_READS.labels("miss" if body is None else "hit").inc()
    if body is None:
        body = load()
        cache.set(key, body)
    return body
