"""Structured logs: one JSON object a line, ids only, and no id of a reporter or a complaint.

Threat: whoever collects the logs of all processes joins them, on what lines have in common and on the second they were
written in. From nobody's account, user name or address may a way lead to a ticket: so no line names either. An event's
id leads to its ticket in a database, for those who may look there.

An exception is logged as its class and the places it passed through, never with its message: messages can hold a
person's words or a database's parameters.
"""

import logging
import sys
import traceback
from typing import Any

import structlog
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars, merge_contextvars
from structlog.typing import EventDict, WrappedLogger

# Their lines would carry what ours leave out: the words of an exception, the address of a person.
_QUIET = {
    "nameko.containers": logging.CRITICAL,
    "amqp": logging.WARNING,
    "kombu": logging.WARNING,
    "httpx": logging.WARNING,
    "alembic": logging.WARNING,
    "flask-limiter": logging.WARNING,
}


def _without_messages(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Replace `exc_info` by the exception's class and its frames."""
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
    """The formatter that standard logging (nameko, kombu, gunicorn) is given, so that every line looks alike."""
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
    """A handler for `logging.config`: configures structlog for this process on the way."""
    configure()
    return logging.getLogger().handlers[0]


def get_logger() -> Any:
    """A logger that takes an event's name and ids: `log.info("event handled", event_id=...)`."""
    return structlog.get_logger()


def begin_context(**ids: str | None) -> None:
    """Start a fresh logging context (one per call or event) holding `ids`."""
    clear_contextvars()
    bind_contextvars(**{name: value for name, value in ids.items() if value})


def correlation_id() -> str | None:
    """The id of the HTTP request that the current work began with, if it is known."""
    return get_contextvars().get("correlation_id")
