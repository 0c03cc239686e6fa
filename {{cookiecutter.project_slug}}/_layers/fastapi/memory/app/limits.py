"""How often somebody may try: https://limits.readthedocs.io/"""

import math
import time

from fastapi import HTTPException
from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

LOGINS_PER_ACCOUNT = parse("5/minute")
LOGINS_PER_ADDRESS = parse("20/minute")
SIGN_UPS_PER_ADDRESS = parse("20/hour")

_limiter = SlidingWindowCounterRateLimiter(MemoryStorage())


async def count(limit: RateLimitItem, whose: str) -> None:
    """Count a try; refuse it when there were too many."""
    if not await _limiter.hit(limit, whose):
        reset = (await _limiter.get_window_stats(limit, whose)).reset_time
        seconds = max(1, math.ceil(reset - time.time()))
        raise HTTPException(429, f"No more than {limit}.", {"Retry-After": str(seconds)})
