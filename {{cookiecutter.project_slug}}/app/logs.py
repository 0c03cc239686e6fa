"""Structured logs: readable lines in development, one JSON object a line in production."""

import logging
import logging.config
import re
import sys
import uuid
from typing import Any

import structlog

from app.environment import environment

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


# https://www.structlog.org/en/stable/standard-library.html
_SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configuration() -> dict[str, Any]:
    """For the standard library: every line goes through one formatter to standard output.

    https://docs.python.org/3/library/logging.config.html#logging-config-dictschema
    """
    # Tracebacks without local variables: they hold passwords and tokens.
    tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    renderers: list[structlog.typing.Processor] = (
        [structlog.processors.ExceptionRenderer(tracebacks), structlog.processors.JSONRenderer()]
        if environment.production
        else [
            structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "default": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
            }
        },
        "handlers": {
            "default": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "default"},
        },
        "loggers": {},
        "root": {"handlers": ["default"]},
    }


def configure() -> None:
    """Send every log line, structlog's and the libraries', the same way."""
    logging.config.dictConfig(configuration())
    logging.getLogger().setLevel(environment.log_level)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def request_id(proposed: str | None) -> str:
    """The caller's X-Request-ID when it is safe to log, else a new one."""
    return proposed if proposed and _REQUEST_ID.fullmatch(proposed) else uuid.uuid4().hex
