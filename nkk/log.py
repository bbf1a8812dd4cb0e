"""Structured logs: one JSON object per line, with ids only, and no id of a reporter or a complaint.

Threat: somebody with the logs of all processes can join them on shared values and timestamps, and link an account, a
user name or an address to a ticket. So no line names any of these. An event's id leads to its ticket only in a stage's
database, for those with access to it.

An exception is logged as its class and stack frames, never with its message: messages can hold a person's words or
database parameters.
"""

import logging
import sys
import traceback
from typing import Any

import structlog
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars, merge_contextvars
from structlog.typing import EventDict, WrappedLogger

# These libraries log exception messages and people's addresses, which our own lines leave out.
_QUIET = {
    "nameko.containers": logging.CRITICAL,
    "amqp": logging.WARNING,
    "kombu": logging.WARNING,
    "httpx": logging.WARNING,
    "alembic": logging.WARNING,
    "flask-limiter": logging.WARNING,
}


def _without_messages(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Replace `exc_info` by the exception's class and stack frames."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    elif isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    if isinstance(info, tuple) and info[0] is not None:
        event["error"] = info[0].__name__
        event["at"] = [
            f"{frame.name} {frame.filename.rsplit('/', 2)[-1]}:{frame.lineno}"
            for frame in traceback.extract_tb(info[2])
        ][-12:]
    return event


_SHARED: list[Any] = [
    merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _without_messages,
]


def formatter() -> logging.Formatter:
    """Return the formatter for standard logging (nameko, kombu, gunicorn), so that all lines have one format."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer()],
    )


def configure(level: int = logging.INFO) -> None:
    """Send every log line of this process to stderr, as JSON."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name, floor in _QUIET.items():
        logging.getLogger(name).setLevel(floor)


def handler() -> logging.Handler:
    """Configure structlog for this process and return its log handler, for `logging.config`."""
    configure()
    return logging.getLogger().handlers[0]


def get_logger() -> Any:
    """Return a logger that takes an event's name and ids: `log.info("event handled", event_id=...)`."""
    return structlog.get_logger()


def begin_context(**ids: str | None) -> None:
    """Start a fresh logging context (one per call or event) holding `ids`."""
    clear_contextvars()
    bind_contextvars(**{name: value for name, value in ids.items() if value})


def correlation_id() -> str | None:
    """Return the id of the HTTP request that started the current work, or None."""
    return get_contextvars().get("correlation_id")
