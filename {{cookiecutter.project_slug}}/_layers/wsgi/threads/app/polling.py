"""How a process looks for work again and again."""

import signal
from collections.abc import Callable
from queue import Empty, SimpleQueue


def repeat(step: Callable[[], float]) -> None:
    """Call `step`, pause for the seconds that it returns, and so on until SIGTERM or SIGINT."""
    # A signal handler may put at any moment; threading.Event could deadlock.
    stop: SimpleQueue[None] = SimpleQueue()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.put(None))
    while True:
        try:
            return stop.get(timeout=step())
        except Empty:
            continue
