"""What is going to be kept is read from the primary: a replica may be behind the change that made a copy go."""

from collections.abc import Callable

from app.copies import Store


class LoadedFromPrimary:
    """The cache's store, which tells before a copy is loaded."""

    def __init__(self, store: Store, use_primary: Callable[[], None]) -> None:
        self._store = store
        self._use_primary = use_primary

    def get(self, key: str) -> bytes | None:
        return self._store.get(key)

    def add(self, key: str, value: bytes, seconds: int) -> bool:
        self._use_primary()
        return self._store.add(key, value, seconds)

    def swap(self, key: str, old: bytes, new: bytes, seconds: int) -> bool:
        self._use_primary()
        return self._store.swap(key, old, new, seconds)

    def delete(self, *keys: str) -> None:
        self._store.delete(*keys)
