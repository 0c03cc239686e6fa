"""What keeps requests safe from a cache server that is gone or silent."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from app.circuit import Circuit
from app.copies import Store, UnavailableError

TIMEOUT_SECONDS = 0.25
CALLS_AT_ONCE = 20
MISSED_DELETIONS = 1000

circuit = Circuit("cache")


class Guard:
    """Calls of the server: few at once, each for a short time, none while it is gone."""

    def __init__(self) -> None:
        # First come, first served. The pool of redis-py lets some wait for seconds while others overtake them.
        self._places = asyncio.Semaphore(CALLS_AT_ONCE)
        self._answered = 0.0

    async def __call__[T](self, call: Callable[[], Awaitable[T]]) -> T:
        """What the call returns. UnavailableError, if it fails or takes too long."""
        if not circuit.allows():
            raise UnavailableError
        probes, called = circuit.is_open, math.inf
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(None) as timeout:
                clock, waits = _limit(timeout), self._places.locked()
                try:
                    async with self._places:
                        if circuit.is_open and not probes:
                            raise UnavailableError
                        if waits:
                            # Anew, for all that the call needs: a connection, a question, an answer.
                            clock.cancel()
                            clock = _limit(timeout)
                        called = loop.time()
                        result = await call()
                finally:
                    clock.cancel()
        except Exception as error:
            # A crowd of requests takes time itself. The server is silent when it has answered nobody meanwhile.
            if called < math.inf and not (isinstance(error, TimeoutError) and self._answered > called):
                circuit.fail(error)
            raise UnavailableError from error
        self._answered = loop.time()
        circuit.succeed()
        return result


def _limit(timeout: asyncio.Timeout) -> asyncio.TimerHandle:
    """Limit the time. Its second half begins when this process comes to it: it may be busy, the server quick."""
    loop, half = asyncio.get_running_loop(), TIMEOUT_SECONDS / 2
    return loop.call_later(half, lambda: timeout.reschedule(loop.time() + half))


guarded = Guard()


class Guarded:
    """Copies on a server. While it is gone there are none, and nobody waits for one."""

    def __init__(self, server: Store) -> None:
        self._server = server
        # Keys to delete when the server is back, the oldest first, and since when.
        self._missed: dict[str, float] = {}

    async def get(self, key: str) -> bytes | None:
        return await self._call(lambda: self._server.get(key))

    async def add(self, key: str, value: bytes, seconds: int) -> bool:
        return await self._call(lambda: self._server.add(key, value, seconds), key)

    async def swap(self, key: str, old: bytes, new: bytes, seconds: int) -> bool:
        return await self._call(lambda: self._server.swap(key, old, new, seconds), key)

    async def delete(self, *keys: str) -> None:
        with suppress(UnavailableError):
            await self._call(lambda: self._server.delete(*keys), *keys)

    async def close(self) -> None:
        await self._server.close()

    async def answers(self) -> bool:
        """Whether the server is there: asks it, unless it is known to be gone."""
        with suppress(UnavailableError):
            await self.get("health")
            return True
        return False

    async def _call[T](self, call: Callable[[], Awaitable[T]], *keys: str) -> T:
        """Call the server. If that fails nobody knows what it holds for the keys."""

        async def made_up() -> T:
            await self._make_up()
            return await call()

        try:
            return await guarded(made_up if self._missed else call)
        except UnavailableError:
            self._miss(keys)
            raise

    def _miss(self, keys: tuple[str, ...]) -> None:
        for key in keys:
            self._missed.pop(key, None)
            self._missed[key] = time.monotonic()
        # More than these are left to the end of their copies' time.
        for key in list(self._missed)[:-MISSED_DELETIONS]:
            del self._missed[key]

    async def _make_up(self) -> None:
        """Delete what should be gone, before anybody reads it."""
        made = dict(self._missed)
        await self._server.delete(*made)
        for key, when in made.items():
            # Unless it was missed once more meanwhile.
            if self._missed.get(key) == when:
                del self._missed[key]
