"""How often somebody may try: https://limits.readthedocs.io/"""

import math
import time

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from ninja.errors import Throttled

LOGINS_PER_ACCOUNT = parse("5/minute")
LOGINS_PER_ADDRESS = parse("20/minute")
SIGN_UPS_PER_ADDRESS = parse("20/hour")

storage = MemoryStorage()
_limiter = SlidingWindowCounterRateLimiter(storage)


def count(limit: RateLimitItem, whose: str) -> None:
    """Count a try; refuse it when there were too many."""
    if not _limiter.hit(limit, whose):
        reset = _limiter.get_window_stats(limit, whose).reset_time
        raise Throttled(max(1, math.ceil(reset - time.time())))
