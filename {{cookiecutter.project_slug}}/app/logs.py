"""Structured logs: readable lines in development, one JSON object a line in production."""

import json
import logging
import logging.config
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
import uuid_utils

from app.environment import environment

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


# What no line says is not found out: https://docs.python.org/3/howto/logging.html#optimization
logging._srcfile = None
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
logging.logAsyncioTasks = False  # type: ignore[attr-defined]


class Formatter(logging.Formatter):
    """Renders every line: structlog's, which come as dictionaries, and the libraries'."""

    def __init__(self, renderers: list[structlog.typing.Processor]) -> None:
        super().__init__()
        self._renderers = renderers

    def format(self, record: logging.LogRecord) -> str:
        line: Any = dict(record.msg) if isinstance(record.msg, dict) else _foreign(record)
        line["logger"], line["level"] = record.name, record.levelname.lower()
        line["timestamp"] = f"{datetime.fromtimestamp(record.created, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        for render in self._renderers:
            line = render(None, record.levelname, line)
        return str(line)


def _foreign(record: logging.LogRecord) -> dict[str, Any]:
    line = {"event": record.getMessage()} | structlog.contextvars.get_contextvars()
    return line | {"exc_info": record.exc_info} if record.exc_info else line


def _for_formatter(_: object, __: str, line: structlog.typing.EventDict) -> tuple[tuple[Any], dict[str, Any]]:
    return (line,), {}


def _json(line: object, default: Callable[[Any], Any]) -> str:
    try:
        return orjson.dumps(line, default, orjson.OPT_NON_STR_KEYS).decode()
    except orjson.JSONEncodeError:
        # A broken character or an endless number: no reason to lose the line.
        return json.dumps(line, default=default)


def configuration() -> dict[str, Any]:
    """For the standard library: every line goes through one formatter to standard output.

    https://docs.python.org/3/library/logging.config.html#logging-config-dictschema
    """
    # Tracebacks without local variables: they hold passwords and tokens.
    tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    renderers: list[structlog.typing.Processor] = (
        [structlog.processors.ExceptionRenderer(tracebacks), structlog.processors.JSONRenderer(_json)]
        if environment.production
        else [
            structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"default": {"()": Formatter, "renderers": renderers}},
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
        # https://www.structlog.org/en/stable/standard-library.html
        processors=[structlog.stdlib.filter_by_level, structlog.contextvars.merge_contextvars, _for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def request_id(proposed: str | None) -> str:
    """The caller's X-Request-ID when it is safe to log, else a new one."""
    return proposed if proposed and _REQUEST_ID.fullmatch(proposed) else uuid_utils.uuid4().hex
