"""A server that is gone costs one call in a while, not one for each request."""

import time
from threading import Lock

import structlog
from prometheus_client import Counter, Gauge

logger = structlog.get_logger(__name__)

FAILURES = Counter("server_failures_total", "Calls to another server that failed.", ["server"])
OPEN = Gauge(
    "circuit_open", "1 while a server is not called because it failed.", ["server"], multiprocess_mode="livemax"
)


class Circuit:
    """Open after a failure: then one call in `pause` seconds tries whether the server is back.

    Threads and coroutines may share it.
    https://learn.microsoft.com/en-us/azure/architecture/patterns/circuit-breaker
    """

    def __init__(self, server: str, pause: float = 2) -> None:
        self._server = server
        self._pause = pause
        self._lock = Lock()
        self._next_try: float | None = None

    @property
    def is_open(self) -> bool:
        return self._next_try is not None

    def allows(self) -> bool:
        """Whether to call now. After the pause only the first to ask is told to."""
        if self._next_try is None:
            return True
        with self._lock:
            now = time.monotonic()
            if self._next_try is not None and now < self._next_try:
                return False
            self._next_try = now + self._pause
            return True

    def succeed(self) -> None:
        """Tell that a call succeeded."""
        if self._next_try is not None:
            self._next_try = None
            OPEN.labels(self._server).set(0)
            logger.info("server is back", server=self._server)

    def fail(self, error: Exception) -> None:
        """Tell that a call failed."""
        FAILURES.labels(self._server).inc()
        with self._lock:
            was_open = self._next_try is not None
            self._next_try = time.monotonic() + self._pause
        if not was_open:
            OPEN.labels(self._server).set(1)
            logger.error("server is gone", server=self._server, error=repr(error))
