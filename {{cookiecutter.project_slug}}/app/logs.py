"""Structured logs: readable lines in development, one JSON object a line in production."""

import logging
import logging.config
import re
import sys
import uuid

import structlog

from app.environment import environment

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def configure() -> None:
    """Send every log line, structlog's and the libraries', through one formatter to standard output.

    https://www.structlog.org/en/stable/standard-library.html
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Tracebacks without local variables: they hold passwords and tokens.
    tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    renderers: list[structlog.typing.Processor] = (
        [structlog.processors.ExceptionRenderer(tracebacks), structlog.processors.JSONRenderer()]
        if environment.production
        else [
            structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "default": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": shared,
                    "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
                }
            },
            "handlers": {
                "default": {"class": "logging.StreamHandler", "stream": sys.stdout, "formatter": "default"},
            },
            "root": {"handlers": ["default"], "level": environment.log_level},
        }
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def request_id(proposed: str | None) -> str:
    """The caller's X-Request-ID when it is safe to log, else a new one."""
    return proposed if proposed and _REQUEST_ID.fullmatch(proposed) else uuid.uuid4().hex
