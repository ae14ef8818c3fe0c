"""Error reports to Sentry, if SENTRY_DSN is set: the location of a bug in the program, never any data.

A report is not the library's event minus what we know to be private. It is built from scratch, from the few
parts that cannot be private. That excludes the message of an exception, in which databases, validators and
JSON parsers quote their input. It also excludes variables, requests, arguments, breadcrumbs, the host name,
and the arguments of a log line. Only the error reporting of the library is active: it traces no calls to
Zendesk or the database and adds no header to any call.
"""

from __future__ import annotations

import logging
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import sentry_sdk
from django.conf import settings
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.integrations.logging import LoggingIntegration, ignore_logger
from sentry_sdk.utils import BadDsn, Dsn

from jobs.common import log_context
from tagmanager.version import version

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

logger = logging.getLogger(__name__)

#: Loggers whose messages are constant templates. Other messages may already contain their arguments.
OWN_LOGGERS = ("jobs", "tagmanager", "zendesk")
#: Loggers of errors that are no bugs, such as a rejected host name or a 503 answer to a probe.
IGNORED_LOGGERS = ("django.security.*", "django.server")
#: Turns off everything that the library would collect by itself (its option `data_collection`).
COLLECT_NOTHING: Any = {
    "user_info": False,
    "cookies": {"mode": "off"},
    "http_headers": {"request": {"mode": "off"}},
    "http_bodies": [],
    "url_query_params": {"mode": "off"},
    "graphql": {"document": False, "variables": False},
    "gen_ai": {"inputs": False, "outputs": False},
    "database_query_data": False,
    "queues": False,
    "stack_frame_variables": False,
    "frame_context_lines": 0,
}

#: Keys of an event to send unchanged, since the library or this module sets their values.
EVENT_KEYS = ("event_id", "timestamp", "platform", "level", "logger", "release", "environment", "sdk")
FRAME_KEYS = ("function", "module", "lineno", "in_app")
MECHANISM_KEYS = ("type", "handled", "exception_id", "parent_id", "is_exception_group")


def is_readable(dsn: str) -> bool:
    """Whether the DSN has the form https://KEY@HOST/NUMBER."""
    try:
        Dsn(dsn)
    except (BadDsn, ValueError):
        return False
    return True


def start(dsn: str) -> None:
    """Report errors of this process, and of processes that it forks, from now on.

    With an invalid DSN nothing is reported, and nothing fails.
    """
    if not is_readable(dsn):
        logger.warning("SENTRY_DSN cannot be read, so no error is reported; manage.py check says more")
        return
    for name in IGNORED_LOGGERS:
        ignore_logger(name)
    sentry_sdk.init(
        dsn=dsn,
        release=f"tag-manager@{version()}",
        environment="demo" if settings.DEMO else "development" if settings.DEBUG else "production",
        before_send=scrub_event,
        # Errors come from the log, where Django and the engine report each once, and uncaught ones from the
        # hook. All other integrations stay off: they record calls and arguments.
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            LoggingIntegration(level=None, event_level=logging.ERROR, sentry_logs_level=None),
            ExcepthookIntegration(),
            DedupeIntegration(),
            AtexitIntegration(callback=lambda *_: None),  # the default writes to the terminal
        ],
        data_collection=COLLECT_NOTHING,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        send_client_reports=False,
        ignore_errors=[KeyboardInterrupt],
        server_name="",
        # Otherwise the library reads these from the environment.
        debug=False,
        spotlight=False,
    )


def scrub_event(event: Event, hint: Hint) -> Event | None:
    """The event to send instead of this one; None if it reports no bug."""
    record = hint.get("log_record")
    exceptions = event.get("exception", {}).get("values", [])
    if not exceptions and (record is None or record.name.split(".")[0] not in OWN_LOGGERS):
        return None  # such as Django's message about a 503, or the queue's about a failed task
    sent: dict[str, Any] = _pick(event, EVENT_KEYS)
    sent["tags"] = {name: str(number) for name, number in log_context.current().items()}
    if trace := event.get("contexts", {}).get("trace"):
        sent["contexts"] = {"trace": _pick(trace, ("trace_id", "span_id"))}
    if exceptions:
        sent["exception"] = {"values": [_exception(each) for each in exceptions]}
    if record is not None:
        sent |= _from_log_record(record)
    return sent  # type: ignore[return-value]  # the library's type is a dictionary too


def _exception(found: dict[str, Any]) -> dict[str, Any]:
    frames = (found.get("stacktrace") or {}).get("frames", [])
    return {
        **_pick(found, ("type", "module")),
        "value": "",
        "mechanism": _pick(found.get("mechanism") or {}, MECHANISM_KEYS),
        "stacktrace": {"frames": [_frame(frame) for frame in frames]},
    }


def _frame(found: dict[str, Any]) -> dict[str, Any]:
    path = PurePosixPath(found.get("filename") or "")
    # An absolute path would reveal folders of this machine, and perhaps a person's name.
    return _pick(found, FRAME_KEYS) | {"filename": path.name if path.is_absolute() else str(path)}


def _from_log_record(record: logging.LogRecord) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    if record.name.split(".")[0] in OWN_LOGGERS:
        parts["logentry"] = {"message": str(record.msg)}
    match = getattr(getattr(record, "request", None), "resolver_match", None)
    if match is not None:
        parts["transaction"] = f"/{match.route}"  # the pattern in urls.py, without its arguments
    return parts


def _pick(found: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: found[name] for name in names if name in found}
