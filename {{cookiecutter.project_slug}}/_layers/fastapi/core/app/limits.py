"""How often somebody may try: https://limits.readthedocs.io/"""

import math
import time
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

LOGINS_PER_ACCOUNT = parse("5/minute")
LOGINS_PER_ADDRESS = parse("20/minute")
SIGN_UPS_PER_ADDRESS = parse("20/hour")

storage = MemoryStorage()
_limiter = MovingWindowRateLimiter(storage)


async def count(limit: RateLimitItem, whose: str) -> None:
    """Count a try; refuse it when there were too many."""
    if not await _limiter.hit(limit, whose):
        reset = (await _limiter.get_window_stats(limit, whose)).reset_time
        seconds = max(1, math.ceil(reset - time.time()))
        raise HTTPException(429, f"No more than {limit}.", {"Retry-After": str(seconds)})


async def client_address(request: Request) -> str:
    return request.client.host if request.client else ""


ClientAddress = Annotated[str, Depends(client_address)]
