from collections.abc import Awaitable, Callable

import pytest

from app.queue import queue


@pytest.fixture
def finished() -> Callable[[], Awaitable[None]]:
    """Waits until every job has run."""
    return queue.finish
