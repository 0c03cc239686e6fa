"""The queue is the jobs table: who works looks into it again and again."""

from collections.abc import Callable

import structlog
from django.db import OperationalError, connection

from app import polling

logger = structlog.get_logger(__name__)


def repeat(step: Callable[[], float]) -> None:
    """Repeat a step that uses the database, which may be gone for a while."""

    def try_step() -> float:
        try:
            return step()
        except OperationalError:
            logger.exception("database unreachable")
            return 1
        finally:
            connection.close()

    polling.repeat(try_step)
