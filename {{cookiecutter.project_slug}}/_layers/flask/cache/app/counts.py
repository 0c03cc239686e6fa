"""Tries are counted on the cache's server, for all processes; while it is gone, each process counts for itself."""

from typing import override

from limits import RateLimitItem, WindowStats
from limits.storage import MemoryStorage, StorageTypes
from limits.strategies import STRATEGIES, SlidingWindowCounterRateLimiter

from app.guard import guarded


class GuardedRateLimiter(SlidingWindowCounterRateLimiter):
    """Flask-Limiter's own fallback answers 500 when two requests lose the server at once, and returns late."""

    def __init__(self, storage: StorageTypes) -> None:
        super().__init__(storage)
        self._shared = SlidingWindowCounterRateLimiter(storage)
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())

    @override
    def hit(self, item: RateLimitItem, *identifiers: str, cost: int = 1) -> bool:
        return guarded(
            lambda: self._shared.hit(item, *identifiers, cost=cost),
            lambda: self._own.hit(item, *identifiers, cost=cost),
        )

    @override
    def get_window_stats(self, item: RateLimitItem, *identifiers: str) -> WindowStats:
        return guarded(
            lambda: self._shared.get_window_stats(item, *identifiers),
            lambda: self._own.get_window_stats(item, *identifiers),
        )


# https://limits.readthedocs.io/en/stable/strategies.html
GUARDED = "guarded"
STRATEGIES[GUARDED] = GuardedRateLimiter
