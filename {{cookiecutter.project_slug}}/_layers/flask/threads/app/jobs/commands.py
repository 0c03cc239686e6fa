"""The processes beside the web server: `flask --app app.main worker` and `beat`."""

from collections.abc import Callable

from flask import Blueprint
from structlog import get_logger

from app import polling
from app.database import UNREACHABLE, db
from app.jobs import runs, tasks

logger = get_logger(__name__)
commands = Blueprint("commands", __name__, cli_group=None)


@commands.cli.command()
def worker() -> None:
    """Run jobs that are due, one after the other."""
    repeat(work)


@commands.cli.command()
def beat() -> None:
    """Return lost jobs every few seconds."""
    repeat(sweep)


def work() -> float:
    """Run a job if one is due. Seconds to wait before the next."""
    job_id = tasks.due()
    if job_id is None:
        return 1
    runs.run(job_id)
    return 0


def sweep() -> float:
    if returned := tasks.sweep():
        logger.warning("lost jobs returned", jobs=returned)
    return 5


def repeat(step: Callable[[], float]) -> None:
    """Repeat a step that uses the database, which may be gone for a while."""

    def try_step() -> float:
        try:
            return step()
        except UNREACHABLE as error:
            logger.error("database unreachable", error=str(error))
            return 1
        finally:
            db.session.remove()

    polling.repeat(try_step)
