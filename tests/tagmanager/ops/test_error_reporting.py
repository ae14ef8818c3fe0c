"""Faults of the program are reported from web, worker and commands, over real HTTP, and hold no data."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.views.debug import get_default_exception_reporter_filter
from pytest_django import Settings

from jobs.models import Job
from tagmanager.version import version
from tests.cookies import session_cookie_at
from tests.demo import Demo, submit
from tests.processes import await_that
from tests.tagmanager.ops.broken import MAIL, SECRETS, TAG, TOKEN, WORD
from tests.tagmanager.ops.receiver import Receiver, receiving
from zendesk import sandbox as zd

pytestmark = pytest.mark.once
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def environment(
    transactional_db: None, process_environment: dict[str, str], receiver: Receiver, demo: Demo
) -> dict[str, str]:
    """Of a program with faults, and of a host that says much about itself."""
    return process_environment | {
        "DJANGO_SETTINGS_MODULE": "tests.tagmanager.ops.settings",
        "SENTRY_DSN": receiver.dsn,
        "HOSTNAME": "zenobia-laptop",
        "ZENDESK_BASE_URL": demo.url,
        "ZENDESK_OAUTH_CLIENT_ID": zd.CLIENT_ID,
        "ZENDESK_OAUTH_CLIENT_SECRET": zd.CLIENT_SECRET,
    }


def the_report(receiver: Receiver) -> dict[str, Any]:
    """The one event, of which nothing that is private has come over the wire in any way."""
    await_that(lambda: receiver.events, "a report")
    (event,) = receiver.events
    everything = b"\n".join(receiver.received).decode(errors="replace").lower()
    assert [secret for secret in SECRETS if secret.lower() in everything] == []
    assert zd.CLIENT_SECRET not in everything
    assert str(ROOT) not in everything
    return event


def faults(event: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Type, words, and the function where it was raised, of each exception."""
    return [
        (each["type"], each["value"], each["stacktrace"]["frames"][-1]["function"])
        for each in event["exception"]["values"]
    ]


BOTH = [("ValueError", "", "_refuse"), ("RuntimeError", "", "fail")]


def start(*command: str, environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def end(process: subprocess.Popen[str]) -> str:
    process.terminate()
    out, err = process.communicate(timeout=60)
    return out + err


@pytest.mark.slow
def test_a_worker_reports_which_job_broke_and_where(environment: dict[str, str], receiver: Receiver) -> None:
    job = submit(refs=[1], add=[TAG], here=False).job
    worker = start(sys.executable, "manage.py", "qcluster", environment=environment)
    try:
        event = the_report(receiver)
    finally:
        said = end(worker)
    the_report(receiver)  # the end of the worker adds nothing
    assert faults(event) == BOTH
    (frame,) = (
        frame
        for frame in event["exception"]["values"][-1]["stacktrace"]["frames"]
        if frame["function"] == "work_for" and frame["module"] == "tests.tagmanager.ops.broken"
    )
    assert frame.pop("lineno") > 0
    assert frame == {
        "filename": "tests/tagmanager/ops/broken.py",
        "function": "work_for",
        "module": "tests.tagmanager.ops.broken",
        "in_app": True,
    }
    wanted = ("level", "logger", "logentry", "tags", "release", "environment", "platform")
    assert {name: event[name] for name in wanted} == {
        "level": "error",
        "logger": "jobs.engine.execution",
        "logentry": {"message": "Stopped by a fault of the program"},
        "tags": {"job": str(job.pk)},
        "release": f"tag-manager@{version()}",
        "environment": "demo",
        "platform": "python",
    }
    allowed = {*wanted, "event_id", "timestamp", "sdk", "contexts", "exception"}
    assert set(event) <= allowed | {"_meta"}
    assert "publickey" not in said
    assert Job.objects.get().status == "errored"


@pytest.mark.slow
def test_a_failing_page_is_reported_by_its_url_pattern(
    environment: dict[str, str], receiver: Receiver
) -> None:
    gunicorn = str(Path(sys.executable).parent / "gunicorn")
    more = ("--bind", "127.0.0.1:0", "--workers", "1", "--threads", "2", "--no-control-socket")
    web = start(gunicorn, "tagmanager.wsgi", *more, environment=environment)
    try:
        assert web.stderr
        line = next(line for line in web.stderr if "Listening at" in line)
        address = line.split("Listening at: ")[1].split()[0]
        answer = requests.post(
            f"{address}/broken/{WORD}/?q={WORD}",
            data={"tags": TAG, "mail": MAIL},
            cookies={session_cookie_at(address): TOKEN},
            headers={"Authorization": f"Bearer {TOKEN}", "User-Agent": WORD},
            timeout=30,
        )
        event = the_report(receiver)
    finally:
        said = end(web)
    assert answer.status_code == 500
    assert faults(event) == BOTH
    assert (event["logger"], event["transaction"]) == ("django.request", "/broken/<str:word>/")
    assert {"request", "user", "server_name", "extra", "breadcrumbs", "logentry"} & set(event) == set()
    assert "publickey" not in said


@pytest.mark.journey
@pytest.mark.slow
def test_a_failing_command_is_reported_without_its_arguments(
    environment: dict[str, str], receiver: Receiver
) -> None:
    command = start(
        *(sys.executable, "manage.py", "tag_tickets", "--ids", "1", "--add", TAG, "--yes"),
        environment=environment,
    )
    out, err = command.communicate(timeout=60)
    assert (command.returncode, Job.objects.get().status) == (1, "errored")
    event = the_report(receiver)
    assert faults(event) == BOTH
    assert (event["logger"], event["tags"]) == ("jobs.engine.execution", {"job": str(Job.objects.get().pk)})
    assert "Sentry" not in out + err
    assert "publickey" not in out + err


@pytest.mark.slow
def test_uncaught_exceptions_are_reported(environment: dict[str, str], receiver: Receiver) -> None:
    code = f"from tests.tagmanager.ops.broken import fail; fail('{WORD}')"
    command = start(
        *(sys.executable, "manage.py", "shell", "--no-imports", "-c", code), environment=environment
    )
    command.communicate(timeout=60)
    event = the_report(receiver)
    assert command.returncode == 1
    assert faults(event) == BOTH
    assert (event["exception"]["values"][-1]["mechanism"]["type"], event["tags"]) == ("excepthook", {})


def test_the_debug_error_page_hides_the_dsn(settings: Settings) -> None:
    settings.SENTRY_DSN = "https://publickey@sentry.example.com/1"
    shown = get_default_exception_reporter_filter().get_safe_settings()
    assert (shown["SENTRY_DSN"], shown["METRICS_TOKEN"], shown["USE_TZ"]) == ("*" * 20, "*" * 20, True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dsn", "words"),
    [
        ("https://publickey@sentry.example.com", "SENTRY_DSN cannot be read, so no error is reported"),
        ("http://publickey@127.0.0.1:9/1", ""),  # nobody is there
    ],
)
def test_an_unreachable_receiver_breaks_nothing(environment: dict[str, str], dsn: str, words: str) -> None:
    code = "import logging; logging.getLogger('jobs').error('broken'); print('goes on')"
    command = start(
        *(sys.executable, "manage.py", "shell", "--no-imports", "-c", code),
        environment=environment | {"SENTRY_DSN": dsn},
    )
    out, err = command.communicate(timeout=60)
    assert (command.returncode, out) == (0, "goes on\n")
    assert words in err
    assert "publickey" not in err
    assert "Traceback" not in err
