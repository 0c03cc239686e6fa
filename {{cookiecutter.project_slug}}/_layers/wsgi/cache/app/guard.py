"""What keeps requests safe from a cache server that is gone or silent."""

from collections.abc import Callable
from threading import Lock

from app.circuit import Circuit
from app.copies import Store

MISSED_DELETIONS = 1000

circuit = Circuit("cache")


def guarded[T](call: Callable[[], T], otherwise: Callable[[], T]) -> T:
    """What a call of the server returns; while that cannot be had, what `otherwise` does."""
    if circuit.allows():
        try:
            result = call()
        except Exception as error:  # noqa: BLE001 no error of a client is worth a request
            circuit.fail(error)
        else:
            circuit.succeed()
            return result
    return otherwise()


class Guarded:
    """Copies on a server. While it is gone there are none, and nobody waits for one."""

    def __init__(self, server: Store) -> None:
        self._server = server
        # Keys whose deletion failed, the oldest first.
        self._missed: dict[str, None] = {}
        # Keys that were claimed, for whoever loads them. A claim that is left on the server would make others wait.
        self._claimed: set[str] = set()
        self._lock = Lock()

    def get(self, key: str) -> bytes | None:
        return self._call(lambda: self._server.get(key), lambda: None)

    def add(self, key: str, value: bytes, seconds: int) -> bool:
        def add() -> bool:
            self._claimed.add(key)
            return self._server.add(key, value, seconds)

        added = self._call(add, lambda: True)
        if not added:
            self._claimed.discard(key)
        return added

    def swap(self, key: str, old: bytes, new: bytes, seconds: int) -> bool:
        def give_up() -> bool:
            if key in self._claimed:
                self._miss((key,))
            return False

        try:
            return self._call(lambda: self._server.swap(key, old, new, seconds), give_up)
        finally:
            self._claimed.discard(key)

    def delete(self, *keys: str) -> None:
        self._claimed.difference_update(keys)
        self._call(lambda: self._server.delete(*keys), lambda: self._miss(keys))

    def answers(self) -> bool:
        """Whether the server is there: asks it, unless it is known to be gone."""
        self.get("health")
        return not circuit.is_open

    def _call[T](self, call: Callable[[], T], otherwise: Callable[[], T]) -> T:
        def made_up() -> T:
            if self._missed:
                self._make_up()
            return call()

        return guarded(made_up, otherwise)

    def _miss(self, keys: tuple[str, ...]) -> None:
        with self._lock:
            self._missed |= dict.fromkeys(keys)
            # More than these are left to the end of their copies' time.
            for key in list(self._missed)[:-MISSED_DELETIONS]:
                del self._missed[key]

    def _make_up(self) -> None:
        """Make the deletions that were missed, before anybody reads what they would have deleted."""
        with self._lock:
            if self._missed:
                self._server.delete(*self._missed)
                self._missed.clear()
