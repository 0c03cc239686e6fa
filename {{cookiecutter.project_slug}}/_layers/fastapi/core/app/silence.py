"""A database that says nothing costs one new connection in a while, not one for each request."""

import time
from typing import Any

import asyncpg

# How long nobody asks a server again that was silent.
PAUSE_SECONDS = 1


class Silence:
    """Whether a server takes connections and never answers. A connection that it answers ends its silence."""

    def __init__(self) -> None:
        self._next_try: float | None = None

    async def connect(self, **options: Any) -> asyncpg.Connection:  # noqa: ANN401
        """Like asyncpg's, which raises TimeoutError too, but at once while the server is known to be silent."""
        if self._next_try is not None:
            if time.monotonic() < self._next_try:
                raise TimeoutError("the server does not answer")
            # The others need not find out too.
            self._pause()
        try:
            connection: asyncpg.Connection = await asyncpg.connect(**options)
        except TimeoutError:
            self._pause()
            raise
        self._next_try = None
        return connection

    def _pause(self) -> None:
        self._next_try = time.monotonic() + PAUSE_SECONDS
