"""The processes beside the web server: `python -m app.jobs.commands worker` and `beat`."""

import asyncio
import signal
from argparse import ArgumentParser
from collections.abc import Awaitable, Callable
from contextlib import suppress

from sqlalchemy.exc import OperationalError
from structlog import get_logger

from app import database, logs
from app.jobs import runs, tasks

logger = get_logger(__name__)


async def work() -> float:
    """Run a job if one is due. Seconds to wait before the next."""
    job_id = await tasks.overdue()
    if job_id is None:
        return 1
    await runs.run(job_id)
    return 0


async def sweep() -> float:
    """Return lost jobs. Seconds to wait before the next time."""
    if returned := await tasks.return_lost():
        logger.warning("lost jobs returned", jobs=returned)
    return 5


async def repeat(step: Callable[[], Awaitable[float]]) -> None:
    """Await `step`, pause for the seconds that it gives, and so on until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    while not stop.is_set():
        try:
            pause = await step()
        except OperationalError:
            logger.exception("database unreachable")
            pause = 1
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)
    await database.close()


def main() -> None:
    steps = {"worker": work, "beat": sweep}
    arguments = ArgumentParser()
    arguments.add_argument("process", choices=steps)
    process = arguments.parse_args().process
    logs.configure()
    logger.info("started", process=process)
    asyncio.run(repeat(steps[process]))


if __name__ == "__main__":
    main()
