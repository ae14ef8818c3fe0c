"""What is left of an event, whatever the library has put into it."""

from __future__ import annotations

import ast
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jobs.common import log_context
from tagmanager.ops.error_reporting import OWN_LOGGERS, scrub_event

SECRET = "quokka"
#: An event with something private in every place that the library knows, and in one that it does not.
FULL: dict[str, Any] = {
    "event_id": "0" * 32,
    "timestamp": "2026-11-24T12:00:00Z",
    "platform": "python",
    "level": "error",
    "logger": "jobs.engine.execution",
    "release": "tag-manager@1.2.3",
    "environment": "production",
    "sdk": {"name": "sentry.python"},
    "server_name": SECRET,
    "user": {"email": SECRET, "ip_address": SECRET},
    "request": {"url": SECRET, "data": SECRET, "headers": {"Cookie": SECRET}, "query_string": SECRET},
    "extra": {"sys.argv": [SECRET], "tags": SECRET},
    "breadcrumbs": {"values": [{"message": SECRET, "data": {"q": SECRET}}]},
    "modules": {SECRET: "1"},
    "threads": {"values": [{"name": SECRET}]},
    "tags": {SECRET: SECRET},
    "fingerprint": [SECRET],
    "transaction": SECRET,
    "contexts": {
        "trace": {"trace_id": "1" * 32, "span_id": "2" * 16, "data": SECRET, "description": SECRET},
        "runtime": {"name": SECRET},
        "state": SECRET,
    },
    "logentry": {"message": SECRET, "formatted": SECRET, "params": [SECRET]},
    "message": SECRET,
    "something new": SECRET,
    "exception": {
        "values": [
            {
                "type": "IntegrityError",
                "module": "django.db.utils",
                "value": f"Key (tag)=({SECRET}) exists",
                "thread_id": SECRET,
                "mechanism": {
                    "type": "logging",
                    "handled": True,
                    "data": {"errno": SECRET},
                    "help_link": SECRET,
                },
                "stacktrace": {
                    "frames": [
                        {
                            "filename": f"/home/{SECRET}/manage.py",
                            "abs_path": f"/home/{SECRET}/manage.py",
                            "function": "main",
                            "module": "__main__",
                            "lineno": 7,
                            "in_app": True,
                            "pre_context": [SECRET],
                            "context_line": SECRET,
                            "post_context": [SECRET],
                            "vars": {"tag": SECRET},
                        }
                    ],
                    "registers": SECRET,
                },
            }
        ]
    },
}
KEPT: dict[str, Any] = {
    "event_id": "0" * 32,
    "timestamp": "2026-11-24T12:00:00Z",
    "platform": "python",
    "level": "error",
    "logger": "jobs.engine.execution",
    "release": "tag-manager@1.2.3",
    "environment": "production",
    "sdk": {"name": "sentry.python"},
    "tags": {},
    "contexts": {"trace": {"trace_id": "1" * 32, "span_id": "2" * 16}},
    "exception": {
        "values": [
            {
                "type": "IntegrityError",
                "module": "django.db.utils",
                "value": "",
                "mechanism": {"type": "logging", "handled": True},
                "stacktrace": {
                    "frames": [
                        {
                            "filename": "manage.py",
                            "function": "main",
                            "module": "__main__",
                            "lineno": 7,
                            "in_app": True,
                        }
                    ]
                },
            }
        ]
    },
}
UNCAUGHT = {name: value for name, value in FULL.items() if name != "exception"}


def record(logger: str, words: str, *parameters: object, **extra: Any) -> logging.LogRecord:
    made = logging.LogRecord(logger, logging.ERROR, "file.py", 1, words, parameters, None)
    made.__dict__.update(extra)
    return made


def sent(event: dict[str, Any], line: logging.LogRecord | None = None) -> Any:
    return scrub_event(event, {} if line is None else {"log_record": line})  # type: ignore[arg-type]


def test_an_exception_keeps_its_type_and_location_but_no_message() -> None:
    assert sent(FULL) == KEPT


def test_a_report_has_the_current_job_and_batch() -> None:
    with log_context.about(job=5, batch=12):
        assert sent(FULL) == KEPT | {"tags": {"job": "5", "batch": "12"}}


def test_our_log_messages_keep_the_template_but_no_arguments() -> None:
    line = record("jobs.engine.execution", "Waits %s s: %s", 5, SECRET)
    assert sent(FULL, line) == KEPT | {"logentry": {"message": "Waits %s s: %s"}}
    told = sent(UNCAUGHT, line)
    assert told["logentry"] == {"message": "Waits %s s: %s"}
    assert SECRET not in str(told)


def test_other_log_messages_are_dropped_because_they_may_contain_arguments() -> None:
    assert sent(FULL, record("django.request", f"Internal Server Error: {SECRET}")) == KEPT


def test_a_page_is_identified_by_its_url_pattern() -> None:
    match = SimpleNamespace(route="jobs/<int:pk>/")
    request = SimpleNamespace(resolver_match=match, path=f"/jobs/{SECRET}/", GET={"q": SECRET})
    line = record("django.request", "%s: %s", "Internal Server Error", SECRET, request=request)
    assert sent(FULL, line) == KEPT | {"transaction": "/jobs/<int:pk>/"}
    request.resolver_match = None  # it broke before it was known which page it is
    assert sent(FULL, line) == KEPT


@pytest.mark.parametrize("logger", ["django.request", "django-q", "gunicorn.error", "jobsnot.ours"])
def test_other_log_messages_without_an_exception_are_not_reported(logger: str) -> None:
    assert sent(UNCAUGHT, record(logger, "Service Unavailable: /healthz")) is None


def test_our_error_messages_are_constants() -> None:
    root = Path(__file__).resolve().parents[3]
    found = [
        (path.name, call.args[0])
        for room in OWN_LOGGERS
        for path in (root / room).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and ast.unparse(call.func) in ("logger.error", "logger.exception", "logger.critical")
    ]
    assert len(found) >= 4
    assert [name for name, words in found if not isinstance(words, ast.Constant)] == []
