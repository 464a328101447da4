"""Log lines: one JSON object each, with secrets taken out in one place.

Modules log constant messages and put facts in ``extra``. Nothing should log a secret in the first
place; the redaction here is the net below, for lines that libraries write.
"""

from __future__ import annotations

import logging
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

# Session keys, connection keys, tickets and signatures in URLs, view tokens in paths (Django logs
# those of requests that fail), bearer headers. Service tokens have no shape of their own; they are
# kept out of logs by their types, which refuse to print.
_SECRET = re.compile(
    r"(?P<kept>(?:sk1|ck1)\.[0-9a-f-]{36}\.|[?&](?:ticket|token|X-Amz-[A-Za-z-]+)=|[Bb]earer[ :=]+"
    r"|/participant/views/)"
    r"[^\s\"'&,;]+"
)


def redacted(text: str) -> str:
    """``text`` with everything that looks like a key, ticket or signature replaced."""
    return _SECRET.sub(lambda found: found["kept"] + "[hidden]", text)


def redact_event(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """structlog processor: redact every value of a log line, whatever it is made of."""
    for name, value in event.items():
        if not name.startswith("_"):  # structlog's own, which is not written
            event[name] = _redacted_value(value)
    return event


def _redacted_value(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {redacted(str(name)): _redacted_value(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted_value(each) for each in value]
    # What the renderer would make of anything else, such as the request that Django hands along.
    return redacted(value if isinstance(value, str) else repr(value))


class OneLine(logging.Filter):
    """Makes a warning of what anybody can cause with a header, and takes the traceback off it."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.exc_info = record.exc_text = None
        return True


def known_level(name: str) -> str:
    """``name`` if logging knows it, else INFO: a typing error must not end the start."""
    return name if name in logging.getLevelNamesMapping() else "INFO"


def logging_config(*, level: str, as_json: bool) -> dict[str, Any]:
    """A ``logging`` dictConfig: everything to standard error, through the redaction."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact_event,
    ]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    renderer,
                ],
                "foreign_pre_chain": shared,
            }
        },
        "filters": {"one_line": {"()": OneLine}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Request lines would carry the ticket of every socket.
            "django.channels.server": {"level": "WARNING"},
            "daphne": {"level": "WARNING"},
            "django.security.DisallowedHost": {"filters": ["one_line"]},
            # urllib3 and botocore print URLs and bodies at DEBUG.
            "urllib3": {"level": "WARNING"},
            "botocore": {"level": "WARNING"},
            "boto3": {"level": "WARNING"},
            "picows": {"level": "WARNING"},
        },
    }
