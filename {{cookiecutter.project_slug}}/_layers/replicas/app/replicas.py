"""Which replicas may be read from: those that answer and are not far behind the primary."""

import random
import time
from collections import deque
from collections.abc import Sequence
from threading import Lock
from urllib.parse import urlsplit

import structlog
from prometheus_client import Gauge

from app.environment import environment

CHECK_SECONDS = 1.0
# How long a replica may take to answer, before the primary is asked instead.
ANSWER_SECONDS = 1.0
# How far a replica may be behind the primary.
LAG_SECONDS = 5.0
# When nothing was heard of the primary for so long, nobody can say what a replica lacks.
SILENCE_SECONDS = 3.0

# How many bytes of its log the primary has written, and a replica has read. A server that is no replica says NULL.
# https://www.postgresql.org/docs/current/functions-admin.html
WRITTEN = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"
REPLAYED = "SELECT pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint"

USABLE = Gauge("database_replicas_usable", "Replicas that are read from.", multiprocess_mode="livemin")

logger = structlog.get_logger(__name__)


class Replicas:
    """The replicas by their numbers. None is read from before it was seen to be well."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._names = [urlsplit(url).netloc.rpartition("@")[2] for url in urls]
        self._behind = [True] * len(urls)
        # Why a replica is not read from, an empty text when it is; nothing yet at the beginning.
        self._reasons: list[str | None] = [None] * len(urls)
        self._usable: tuple[int, ...] = ()
        # What the primary had written, and when.
        self._written: deque[tuple[float, int]] = deque()
        self._lock = Lock()

    def choose(self) -> int | None:
        """A replica to read from, or none: the primary."""
        usable = self._usable
        return random.choice(usable) if usable else None  # noqa: S311

    def primary_has_written(self, position: int) -> None:
        now = time.monotonic()
        with self._lock:
            self._written.append((now, position))
            # What stays in front is what a replica must have read.
            while len(self._written) > 1 and self._written[1][0] <= now - LAG_SECONDS:
                self._written.popleft()

    def has_replayed(self, replica: int, position: int | None) -> None:
        with self._lock:
            if position is None:
                self._note(replica, "not a replica")
                return
            # Without the primary its replicas are as good as before.
            if self._written and time.monotonic() - self._written[-1][0] < SILENCE_SECONDS:
                self._behind[replica] = position < self._written[0][1]
            elif self._reasons[replica] is None:
                return
            self._note(replica, "behind" if self._behind[replica] else "")

    def has_failed(self, replica: int, error: Exception) -> None:
        with self._lock:
            self._note(replica, repr(error))

    def _note(self, replica: int, reason: str) -> None:
        before, self._reasons[replica] = self._reasons[replica], reason
        self._usable = tuple(number for number, reason in enumerate(self._reasons) if reason == "")
        USABLE.set(len(self._usable))
        if reason and not before:
            logger.warning("replica is not read from", replica=self._names[replica], reason=reason)
        elif before and not reason:
            logger.info("replica is back", replica=self._names[replica])


# SQLite has none.
URLS = () if environment.database_url.startswith("sqlite") else environment.database_replica_urls
replicas = Replicas(URLS)
