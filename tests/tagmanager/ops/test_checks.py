"""Each system check fires on what it is for, alone, and is silent otherwise."""

import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.checks import CheckMessage, registry, run_checks
from django.core.management import get_commands, load_command_class
from django.db import connection
from pytest_django import Settings

from tagmanager.ops import checks

GOOD: dict[str, Any] = {
    "DEMO": False,
    "DEBUG": False,
    "SECRET_KEY": "kept by nobody else" * 4,
    "ZENDESK_SUBDOMAIN": "acme",
    "ZENDESK_BASE_URL": "",
    "ZENDESK_OAUTH_CLIENT_ID": "tag_manager",
    "ZENDESK_OAUTH_CLIENT_SECRET": "client-secret-value",
    "ZENDESK_OAUTH_TOKEN": "",
    "ZENDESK_EMAIL": "",
    "ZENDESK_API_TOKEN": "",
    "ENV_FILE_NOTES": [],
    "VERIFY_WRITES": "sample",
    "TRUST_PROXY": "",
    "SCRIPT_NAME": "",
    "METRICS_TOKEN": "",
    "SENTRY_DSN": "",
}
NO_OAUTH: dict[str, Any] = {"ZENDESK_OAUTH_CLIENT_ID": "", "ZENDESK_OAUTH_CLIENT_SECRET": ""}
API_TOKEN: dict[str, Any] = {"ZENDESK_EMAIL": "ana@acme.test", "ZENDESK_API_TOKEN": "api-token-value"}
SANDBOX: dict[str, Any] = {"ZENDESK_SUBDOMAIN": "", "ZENDESK_BASE_URL": "http://127.0.0.1:8100"}
SECRETS = ("client-secret-value", "api-token-value", "bearer-value", "short-token-value", "key-value")

Messages = Callable[..., list[CheckMessage]]


@pytest.fixture
def messages(settings: Settings) -> Messages:
    """What our checks say about good settings with some of them changed."""

    def of(**changes: Any) -> list[CheckMessage]:
        for name, value in {**GOOD, **changes}.items():
            setattr(settings, name, value)
        return [each for each in run_checks() if (each.id or "").startswith("tagmanager.")]

    return of


def ids(messages: list[CheckMessage]) -> list[str]:
    return sorted(str(message.id) for message in messages)


def queue(**changes: Any) -> dict[str, Any]:
    from django.conf import settings

    return {"Q_CLUSTER": {**settings.Q_CLUSTER, **changes}}


def sqlite(**options: Any) -> dict[str, Any]:
    return {"DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": options}}}


FIRES: list[tuple[str, dict[str, Any]]] = [
    ("E001", {"SECRET_KEY": ""}),
    ("E002", {"ZENDESK_BASE_URL": "https://acme.zendesk.com"}),
    ("E003", {"ZENDESK_SUBDOMAIN": "acme.zendesk.com"}),
    ("E003", {"ZENDESK_SUBDOMAIN": "evil.test/"}),
    ("E003", {"ZENDESK_SUBDOMAIN": "acme\n"}),
    ("E004", {"ZENDESK_SUBDOMAIN": "", "ZENDESK_BASE_URL": "acme.zendesk.com"}),
    ("E005", {"DEMO": True}),
    ("E005", {"DEMO": True, "ZENDESK_SUBDOMAIN": "", "ZENDESK_BASE_URL": "https://acme.zendesk.com"}),
    ("E008", queue(timeout=120.0)),
    ("E008", queue(timeout=None)),
    ("E008", queue(timeout=True)),
    ("E009", queue(timeout=300, retry=300)),
    ("E010", queue(orm="queue")),
    ("E011", {"TOOLS": ["tagmanager.tools.bulk_tag.BulkTag", "tagmanager.tools.bulk_tag.BulkTag"]}),
    ("E011", {"TOOLS": ["nowhere.Tool"]}),
    ("E041", {"SCRIPT_NAME": "tags"}),
    ("E041", {"SCRIPT_NAME": "//tags"}),
    ("E041", {"SCRIPT_NAME": "/a/../b"}),
    ("E041", {"SCRIPT_NAME": "/tags?x"}),
    ("E041", {"SCRIPT_NAME": "https://example.com/tags"}),
    ("E041", {"SCRIPT_NAME": "/jobs"}),
    ("E041", {"SCRIPT_NAME": "/static/tags"}),
    ("E040", {"TRUST_PROXY": "perhaps"}),
    ("E040", {"TRUST_PROXY": "-1"}),
    ("E040", {"TRUST_PROXY": "11"}),
    ("E040", {"TRUST_PROXY": "10.0.0.1/8"}),
    ("E040", {"TRUST_PROXY": "10.0.0.0/8, *"}),
    ("E040", {"TRUST_PROXY": "::/0"}),
    ("E012", {"LOG_LEVEL": "LOUD"}),
    ("E013", {"LOG_FORMAT": "xml"}),
    ("E015", {"VERIFY_WRITES": "some"}),
    ("E015", {"VERIFY_WRITES": ""}),
    ("E016", {"ZENDESK_ENVIRONMENT": "prod"}),
    ("E050", {"REQUIRE_TWO_FACTOR": "some"}),
    ("E051", {"ENCRYPTION_KEYS": ["short"]}),
    ("E052", {"PROXY_AUTH_HEADER": "X_Remote_User", "TRUST_PROXY": "True"}),
    ("E053", {"PROXY_AUTH_HEADER": "X-Remote-User", "TRUST_PROXY": "False"}),
    ("E054", {"PROXY_AUTH_LOGOUT_URL": "javascript:alert(1)"}),
    ("E014", {"METRICS_TOKEN": "short-token-value"}),
    ("E014", {"METRICS_TOKEN": "long enough, but with blanks"}),
    ("W001", {"ZENDESK_SUBDOMAIN": ""}),
    ("W002", {"DEBUG": True}),
    ("W003", NO_OAUTH),
    ("W005", {"ZENDESK_OAUTH_TOKEN": "bearer-value"}),
    ("W005", API_TOKEN),
    ("W006", {**NO_OAUTH, **API_TOKEN}),
    ("W007", sqlite(init_command="PRAGMA journal_mode=WAL")),
    ("W007", sqlite(transaction_mode="IMMEDIATE")),
    ("W009", {"SENTRY_DSN": "key-value"}),
    ("W010", {"ENV_FILE_NOTES": ["SECRET_KEY is set twice in .env, on lines 1 and 2: the last one counts."]}),
    ("W009", {"SENTRY_DSN": "https://sentry.example.com/1"}),
    ("W009", {"SENTRY_DSN": "https://key-value@sentry.example.com"}),
    ("W009", {"SENTRY_DSN": "https://key-value@sentry.example.com:x/1"}),
    ("W009", {"SENTRY_DSN": "https://key-value@[sentry/1"}),
]

SILENT: list[dict[str, Any]] = [
    {},
    SANDBOX,
    {**SANDBOX, "DEBUG": True},
    {**SANDBOX, "DEMO": True},
    {**SANDBOX, **NO_OAUTH, "DEMO": True},
    {"DEMO": True, "ZENDESK_SUBDOMAIN": "", **NO_OAUTH},
    {**NO_OAUTH, "ZENDESK_OAUTH_TOKEN": "bearer-value"},
    {"ZENDESK_MAX_JOBS": 1, "ZENDESK_RATE_SHARE": 0.01},
    {"VERIFY_WRITES": "all"},
    {"VERIFY_WRITES": "off"},
    {"ZENDESK_MAX_JOBS": 30, "ZENDESK_RATE_SHARE": 1.0},
    queue(timeout=299, retry=300),
    {"METRICS_TOKEN": "kept-by-nobody-else-0123"},
    {"SENTRY_DSN": "https://key-value@sentry.example.com/1"},
    sqlite(init_command="PRAGMA journal_mode = wal;", transaction_mode="IMMEDIATE"),
    {"DATABASES": {"default": {"ENGINE": "django.db.backends.postgresql"}}},
]


@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
@pytest.mark.parametrize(("code", "changes"), FIRES)
def test_only_the_invalid_setting_is_reported(messages: Messages, code: str, changes: dict[str, Any]) -> None:
    said = messages(**changes)
    assert ids(said) == [f"tagmanager.{code}"]
    assert said[0].is_serious() == code.startswith("E")
    assert said[0].hint


@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
@pytest.mark.parametrize("changes", SILENT)
def test_valid_settings_cause_no_message(messages: Messages, changes: dict[str, Any]) -> None:
    assert messages(**changes) == []


@pytest.mark.parametrize("name", ["ZENDESK_OAUTH_CLIENT_ID", "ZENDESK_OAUTH_CLIENT_SECRET"])
def test_half_an_oauth_client_is_reported_with_the_missing_half(messages: Messages, name: str) -> None:
    said = messages(**{name: ""})
    assert ids(said) == ["tagmanager.W003", "tagmanager.W004"]
    half = next(each for each in said if each.id == "tagmanager.W004")
    assert (
        half.msg
        == f"Half of the OAuth client is missing: {name} is not set, so the OAuth client is not used."
    )


def test_the_credential_in_use_is_named_if_there_are_two(messages: Messages) -> None:
    [said] = messages(**NO_OAUTH, **API_TOKEN, ZENDESK_OAUTH_TOKEN="bearer-value")
    assert said.msg == (
        "There is more than one credential for Zendesk: the OAuth token, the API token. "
        "Only the OAuth token is used."
    )
    assert checks.given_credentials() == ["the OAuth token", "the API token"]


@pytest.mark.parametrize(
    ("today", "words"),
    [
        (
            datetime(2027, 4, 30, 23, tzinfo=UTC),
            "Zendesk ends all API tokens on 30 April 2027; ZENDESK_API_TOKEN stops working then.",
        ),
        (
            datetime(2027, 5, 1, 1, tzinfo=UTC),
            "Zendesk ended all API tokens on 30 April 2027: every call with ZENDESK_API_TOKEN is refused.",
        ),
    ],
)
def test_an_api_token_causes_a_warning_about_its_end(messages: Messages, today: datetime, words: str) -> None:
    with time_machine.travel(today, tick=False):
        [said] = messages(**NO_OAUTH, **API_TOKEN)
    assert (said.msg, said.is_serious()) == (words, False)


def test_no_message_shows_a_secret(messages: Messages) -> None:
    said = messages(
        **API_TOKEN,
        ZENDESK_OAUTH_TOKEN="bearer-value",
        ZENDESK_BASE_URL="x",
        ZENDESK_MAX_JOBS=0,
        METRICS_TOKEN="short-token-value",
        SENTRY_DSN="https://key-value@sentry.example.com",
    )
    text = "\n".join(f"{each.msg} {each.hint}" for each in said)
    assert said
    assert [secret for secret in SECRETS if secret in text] == []


@pytest.mark.django_db(transaction=True)
def test_a_sqlite_file_without_wal_is_reported() -> None:
    if connection.vendor != "sqlite":
        assert list(checks.check_sqlite_journal(databases=["default"])) == []
        return
    assert list(checks.check_sqlite_journal(databases=["default"])) == []
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode=DELETE")
    try:
        assert ids(list(checks.check_sqlite_journal(databases=["default"]))) == ["tagmanager.W008"]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA journal_mode=WAL")


def test_every_check_has_a_unique_id_and_a_test_here() -> None:
    numbers = re.findall(r'"tagmanager\.([EW]\d{3})"', Path(checks.__file__).read_text(encoding="utf-8"))
    tested = {code for code, _ in FIRES} | {"W004", "W008", "E017", "E030", "W030"}
    assert sorted(numbers) == sorted(tested)


def test_our_commands_run_our_checks_only() -> None:
    ours = {name: room for name, room in get_commands().items() if room in ("jobs", "tagmanager")}
    awaited = {name: load_command_class(room, name).requires_system_checks for name, room in ours.items()}
    assert {name for name, tags in awaited.items() if tags != ("settings",)} == {
        "check",
        "demo",
        "zendesk_sandbox",
    }
    known = {check for check in registry.registry.registered_checks if check.__module__ == checks.__name__}
    assert {check for check in known if "settings" not in check.tags} == {
        checks.check_sqlite_journal,
        checks.check_schema,
        checks.check_pooler,
    }


def test_a_web_server_without_a_key_stops_with_the_message(bare_environment: dict[str, str]) -> None:
    started = subprocess.run(
        [sys.executable, "-c", "import tagmanager.wsgi"],
        env=bare_environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode == 4  # gunicorn then ends, instead of starting another process
    assert "SECRET_KEY is not set" in started.stderr
    assert "Traceback" not in started.stderr
