"""How often somebody may try, over all processes: https://limits.readthedocs.io/"""

import math
import time

from django.utils.crypto import salted_hmac
from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import RateLimiter, SlidingWindowCounterRateLimiter
from ninja.errors import Throttled

from app import cache
from app.environment import PROJECT, environment
from app.guard import guarded

LOGINS_PER_ACCOUNT = parse("5/minute")
LOGINS_PER_ADDRESS = parse("20/minute")
SIGN_UPS_PER_ADDRESS = parse("20/hour")

# For this process alone, for as long as there is no server.
storage = MemoryStorage()
_own = SlidingWindowCounterRateLimiter(storage)
_shared = SlidingWindowCounterRateLimiter(cache.counters(environment.cache_url)) if environment.cache_url else _own


def count(limit: RateLimitItem, whose: str) -> None:
    """Count a try; refuse it when there were too many."""
    # Several projects may share the server, and it shall not know e-mail addresses.
    key = f"{PROJECT['name']}:{salted_hmac(__name__, whose, algorithm='sha256').hexdigest()}"
    if environment.cache_url:
        seconds = guarded(lambda: _wait(_shared, limit, key), lambda: _wait(_own, limit, key))
    else:
        seconds = _wait(_own, limit, key)
    if seconds:
        raise Throttled(seconds)


def _wait(limiter: RateLimiter, limit: RateLimitItem, key: str) -> int:
    """Count a try; the seconds until the next one is allowed, 0 when this one is."""
    if limiter.hit(limit, key):
        return 0
    reset = limiter.get_window_stats(limit, key).reset_time
    return max(1, math.ceil(reset - time.time()))
