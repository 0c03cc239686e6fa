"""How often somebody may try, over all processes: https://limits.readthedocs.io/"""

import hmac
import math
import time

from fastapi import HTTPException
from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import RateLimiter, SlidingWindowCounterRateLimiter

from app.cache import counters
from app.copies import UnavailableError
from app.environment import PROJECT, environment
from app.guard import guarded

LOGINS_PER_ACCOUNT = parse("5/minute")
LOGINS_PER_ADDRESS = parse("20/minute")
SIGN_UPS_PER_ADDRESS = parse("20/hour")

_shared = SlidingWindowCounterRateLimiter(counters)
# For as long as the server is gone.
_own = SlidingWindowCounterRateLimiter(MemoryStorage())


async def count(limit: RateLimitItem, whose: str) -> None:
    """Count a try; refuse it when there were too many."""
    # Several projects may share the server, and it shall not know e-mail addresses.
    key = f"{PROJECT['name']}:{hmac.digest(environment.secret_key.encode(), whose.encode(), 'sha256').hex()}"
    try:
        seconds = await guarded(lambda: _wait(_shared, limit, key))
    except UnavailableError:
        seconds = await _wait(_own, limit, key)
    if seconds:
        raise HTTPException(429, f"No more than {limit}.", {"Retry-After": str(seconds)})


async def _wait(limiter: RateLimiter, limit: RateLimitItem, key: str) -> int:
    """Count a try; the seconds until the next one is allowed, 0 when this one is."""
    if await limiter.hit(limit, key):
        return 0
    reset = (await limiter.get_window_stats(limit, key)).reset_time
    return max(1, math.ceil(reset - time.time()))
