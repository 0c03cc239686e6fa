"""Copies of what the database holds: one request loads, the others wait for it, and no copy outlives a change."""

import time
from collections.abc import Callable
from secrets import token_bytes, token_hex
from typing import Protocol

from app.metrics import CACHE_READS

HITS, MISSES = CACHE_READS.labels("hit"), CACHE_READS.labels("miss")
COPY_SECONDS = 60
# Stands in the place of a copy while it is loaded. No JSON begins with it.
MARK = b"\0"
MARK_SECONDS = 5
WAIT_SECONDS = 2.0
POLL_SECONDS = 0.015


class Store(Protocol):
    """Where copies are kept, by this process or by a server for all."""

    def get(self, key: str) -> bytes | None: ...

    def add(self, key: str, value: bytes, seconds: int) -> bool:
        """Keep the value, if there is none; say whether it is kept."""

    def swap(self, key: str, old: bytes, new: bytes, seconds: int) -> bool:
        """Keep the new value, if the old one is still there; say whether it is kept."""

    def delete(self, *keys: str) -> None: ...


class Copies:
    def __init__(self, store: Store) -> None:
        self.store = store

    def read_through(self, key: str, load: Callable[[], bytes]) -> bytes:
        """The copy; where there is none, what `load` returns, which is kept unless the key is forgotten meanwhile."""
        value, loaded = self._read(key, load)
        (MISSES if loaded else HITS).inc()
        return value

    def page(self, group: str, key: str, load: Callable[[], bytes]) -> bytes:
        """The same for what depends on many rows: all pages of a group are forgotten at once, by `version_key`."""
        version = self._version(group)
        value, loaded = self._read(f"{group}:{key}", lambda: version + load(), version)
        (MISSES if loaded else HITS).inc()
        return value.removeprefix(version)

    def forget(self, *keys: str) -> None:
        """Drop copies, and what is being loaded: after the commit of a change and before its answer."""
        self.store.delete(*keys)

    def _version(self, group: str) -> bytes:
        version, new = self.store.get(version_key(group)), token_hex(8).encode()
        if version is None and not self.store.add(version_key(group), new, COPY_SECONDS):
            version = self.store.get(version_key(group))
        return version or new

    def _read(self, key: str, load: Callable[[], bytes], version: bytes = b"") -> tuple[bytes, bool]:
        """The value, and whether it had to be loaded here. A copy of another version is none, and not waited for."""
        deadline = time.monotonic() + WAIT_SECONDS
        loading = MARK + version
        # A second time, because what was waited for may have been forgotten.
        for _ in range(2):
            value = self.store.get(key)
            if value is None or not value.startswith((version, loading)):
                mark = loading + token_bytes(16)
                if self._claim(key, value, mark):
                    return self._load(key, mark, load), True
            elif not value.startswith(MARK):
                return value, False
            value = self._wait(key, loading, deadline)
            if value is not None and value.startswith(version) and not value.startswith(MARK):
                return value, False
        return load(), True

    def _claim(self, key: str, found: bytes | None, mark: bytes) -> bool:
        if found is None:
            return self.store.add(key, mark, MARK_SECONDS)
        return self.store.swap(key, found, mark, MARK_SECONDS)

    def _load(self, key: str, mark: bytes, load: Callable[[], bytes]) -> bytes:
        try:
            value = load()
        except BaseException:
            self.store.delete(key)
            raise
        # Without the mark the value may be older than the change that made somebody forget the key.
        self.store.swap(key, mark, value, COPY_SECONDS)
        return value

    def _wait(self, key: str, loading: bytes, deadline: float) -> bytes | None:
        """What somebody else loads; none when it does not come."""
        while time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            value = self.store.get(key)
            if value is None or not value.startswith(loading):
                return value
        return None


def version_key(group: str) -> str:
    return f"{group}:version"
