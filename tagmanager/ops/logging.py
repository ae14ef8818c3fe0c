"""The two formats of a log line, text for people and JSON for log collectors, each with job and batch."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from jobs.common import log_context

#: ISO 8601; TIME_ZONE sets the process to UTC.
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
FORMATS = ("text", "json")


class ContextFilter(logging.Filter):
    """Adds the current job and batch to a record, in the thread that logs it."""

    def filter(self, record: logging.LogRecord) -> bool:
        current = log_context.current()
        record.__dict__.update(current)
        record.context = "".join(f"[{name} {number}] " for name, number in current.items())
        return True


class HeadFilter(logging.Filter):
    """Leaves out that a page has no answer to HEAD; crawlers and probes ask every link for one."""

    def filter(self, record: logging.LogRecord) -> bool:
        method = getattr(getattr(record, "request", None), "method", "")
        return not (method == "HEAD" and getattr(record, "status_code", 0) == HTTPStatus.METHOD_NOT_ALLOWED)


class TextFormatter(logging.Formatter):
    """`2026-01-31T12:00:00Z WARNING jobs.engine.pipeline [job 5] [batch 12] its fate is unknown: …`"""

    def __init__(self) -> None:
        super().__init__(
            "%(asctime)s %(levelname)s %(name)s %(context)s%(message)s", TIME_FORMAT, defaults={"context": ""}
        )


class JsonLineFormatter(JsonFormatter):
    """One JSON object per line.

    It has `time`, `level`, `logger` and `message`; `job` and `batch`, if any; and `error` with the traceback,
    if one was logged.
    """

    def __init__(self) -> None:
        super().__init__(
            "%(asctime)s %(levelname)s %(name)s %(message)s",
            TIME_FORMAT,
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger", "exc_info": "error"},
            json_ensure_ascii=False,
        )

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        super().add_fields(log_data, record, message_dict)
        log_data.pop("context", None)
