"""Error reports to Sentry, if SENTRY_DSN is set: where a fault of the program is, never what it was about.

A report is not what the library gathered, cleaned of what we know to be private: it is built anew of the few
things that cannot be. The message of an exception is not among them, because databases, validators and JSON
readers quote in it what they could not digest; nor are variables, requests, arguments, breadcrumbs, the name
of the host, or the filled-in words of a log line. Nothing of the library beyond errors is used: it neither
watches calls to Zendesk nor the database, and it adds no header to any call.
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

from jobs import log_context
from tagmanager.version import version

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

logger = logging.getLogger(__name__)

#: Whose log lines are constant words with gaps; those of others may have been filled in before they are seen.
OWN_LOGGERS = ("jobs", "tagmanager", "zendesk")
#: Who logs errors that are no faults: a stranger who knocks is one, and so is an answer of 503 to a probe.
IGNORED_LOGGERS = ("django.security.*", "django.server")
#: Everything that the library would collect by itself (its option `data_collection`).
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

#: What of an event is sent as it is: it comes of the library or of this module.
EVENT_KEYS = ("event_id", "timestamp", "platform", "level", "logger", "release", "environment", "sdk")
FRAME_KEYS = ("function", "module", "lineno", "in_app")
MECHANISM_KEYS = ("type", "handled", "exception_id", "parent_id", "is_exception_group")


def is_readable(dsn: str) -> bool:
    """Whether it has the form https://KEY@HOST/NUMBER."""
    try:
        Dsn(dsn)
    except (BadDsn, ValueError):
        return False
    return True


def start(dsn: str) -> None:
    """From here on errors of this process, and of those that it forks, are reported.

    Where the DSN cannot be read nothing is reported, and nothing fails.
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
        # Errors reach us through the log, where Django and the engine tell each fault once; what nobody has
        # caught through the hook. No other part of the library is wanted: they watch calls and arguments.
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            LoggingIntegration(level=None, event_level=logging.ERROR, sentry_logs_level=None),
            ExcepthookIntegration(),
            DedupeIntegration(),
            AtexitIntegration(callback=lambda *_: None),  # by itself it writes to the terminal
        ],
        data_collection=COLLECT_NOTHING,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        auto_session_tracking=False,
        send_client_reports=False,
        ignore_errors=[KeyboardInterrupt],
        server_name="",
        # The library would read these from the environment.
        debug=False,
        spotlight=False,
    )


def scrub_event(event: Event, hint: Hint) -> Event | None:
    """The event that is sent in place of this one; None where it tells of no fault."""
    record = hint.get("log_record")
    exceptions = event.get("exception", {}).get("values", [])
    if not exceptions and (record is None or record.name.split(".")[0] not in OWN_LOGGERS):
        return None  # such as Django's line about an answer of 503, or the queue's about a task that failed
    sent: dict[str, Any] = _pick(event, EVENT_KEYS)
    sent["tags"] = {name: str(number) for name, number in log_context.current().items()}
    if trace := event.get("contexts", {}).get("trace"):
        sent["contexts"] = {"trace": _pick(trace, ("trace_id", "span_id"))}
    if exceptions:
        sent["exception"] = {"values": [_exception(each) for each in exceptions]}
    if record is not None:
        sent |= _from_log_record(record)
    return sent  # type: ignore[return-value]  # the library's type is that of a dictionary as well


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
    # A whole path would name the folders of this machine, and so perhaps a person.
    return _pick(found, FRAME_KEYS) | {"filename": path.name if path.is_absolute() else str(path)}


def _from_log_record(record: logging.LogRecord) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if record.name.split(".")[0] in OWN_LOGGERS:
        told["logentry"] = {"message": str(record.msg)}
    match = getattr(getattr(record, "request", None), "resolver_match", None)
    if match is not None:
        told["transaction"] = f"/{match.route}"  # as it stands in urls.py, with its gaps
    return told


def _pick(found: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: found[name] for name in names if name in found}
