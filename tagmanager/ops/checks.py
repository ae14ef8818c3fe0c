"""System checks: explain settings that are missing or contradict each other before anything runs.

An error (E) stops every command. A setting that only commands with calls to Zendesk need causes a warning
(W): without credentials it must still be possible to migrate, to test, or to start the demo Zendesk.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connections
from django.utils import timezone

from jobs.apps import SETTINGS
from jobs.runtime.database_retry import Trouble, trouble_in
from jobs.work import Verify
from jobs.workers import schema
from tagmanager.account.place import PRODUCTION, SANDBOX
from tagmanager.middleware import client_address
from tagmanager.middleware.client_address import TrustedProxies
from tagmanager.middleware.sub_path import checked_sub_path
from tagmanager.ops.encryption import check_key
from tagmanager.ops.logging import FORMATS
from tagmanager.tools import load
from zendesk.address import LOOPBACK, address_of, checked_base_url
from zendesk.credentials import API_TOKENS_END

# Shorter tokens could be guessed, since wrong attempts are not limited.
MIN_METRICS_TOKEN_LENGTH = 24

# Values of REQUIRE_TWO_FACTOR.
TWO_FACTOR_RULES = ("off", "runners", "all")

# The kinds of credentials. If several are given, the first one is used.
CREDENTIALS: dict[str, tuple[str, ...]] = {
    "the OAuth client": ("ZENDESK_OAUTH_CLIENT_ID", "ZENDESK_OAUTH_CLIENT_SECRET"),
    "the OAuth token": ("ZENDESK_OAUTH_TOKEN",),
    "the API token": ("ZENDESK_EMAIL", "ZENDESK_API_TOKEN"),
}


def given_credentials() -> list[str]:
    """The kinds of credentials with all their settings; the first one is used."""
    return [kind for kind, names in CREDENTIALS.items() if all(getattr(settings, name) for name in names)]


@register(Tags.security, SETTINGS)
def check_secret_key(**_: Any) -> Iterator[CheckMessage]:
    """With no key, or a known one, anybody could forge a session."""
    try:
        settings.SECRET_KEY  # noqa: B018  # Django raises when it is empty, with a less helpful message
    except ImproperlyConfigured:
        yield Error(
            "SECRET_KEY is not set.",
            hint="Put SECRET_KEY=… into .env or the environment, with a value of your own: "
            'python3 -c "import secrets; print(secrets.token_urlsafe(50))" makes one.',
            id="tagmanager.E001",
        )


@register(SETTINGS)
def check_env_file(**_: Any) -> Iterator[CheckMessage]:
    """A name that is set twice in `.env` is usually a line that somebody forgot."""
    for note in settings.ENV_FILE_NOTES:
        yield CheckWarning(note, hint="Remove one of the two lines.", id="tagmanager.W010")


@register(SETTINGS)
def check_account(**_: Any) -> Iterator[CheckMessage]:
    """The settings must identify one Zendesk account in one way."""
    subdomain, base_url = settings.ZENDESK_SUBDOMAIN, settings.ZENDESK_BASE_URL
    if subdomain and base_url:
        yield Error(
            "ZENDESK_SUBDOMAIN and ZENDESK_BASE_URL are both set, and may name different accounts.",
            hint="Remove one of them. The subdomain is the usual one.",
            id="tagmanager.E002",
        )
    if subdomain:
        yield from validation_errors(address_of, subdomain, name="ZENDESK_SUBDOMAIN", code="tagmanager.E003")
    if base_url:
        yield from validation_errors(
            checked_base_url, base_url, name="ZENDESK_BASE_URL", code="tagmanager.E004"
        )
    if settings.DEMO and (subdomain or (base_url and urlsplit(base_url).hostname not in LOOPBACK)):
        yield Error(
            "The demo was given a real Zendesk account.",
            hint="Remove ZENDESK_SUBDOMAIN and ZENDESK_BASE_URL from the environment: it brings its own.",
            id="tagmanager.E005",
        )
    if not settings.DEMO and not subdomain and not base_url:
        yield CheckWarning(
            "No Zendesk account is named, so no job can run.",
            hint="Set ZENDESK_SUBDOMAIN: acme for acme.zendesk.com.",
            id="tagmanager.W001",
        )
    if settings.DEBUG and subdomain:
        yield CheckWarning(
            f"DEBUG is on while working on a real Zendesk account ({subdomain}): error pages then show "
            "settings and data to whoever sees them.",
            hint="Remove DEBUG, or work on the demo Zendesk: manage.py zendesk_sandbox.",
            id="tagmanager.W002",
        )


def validation_errors(check: Any, value: str, *, name: str, code: str) -> Iterator[CheckMessage]:
    """The error that `check` raises for the value of the setting `name`, if any."""
    try:
        check(value)
    except ValueError as exc:
        yield Error(f"{name}: {exc}", hint=f"Correct {name} in .env or the environment.", id=code)


@register(SETTINGS)
def check_credentials(**_: Any) -> Iterator[CheckMessage]:
    """There should be one complete credential that does not expire soon."""
    given = given_credentials()
    if not given and not settings.DEMO:
        yield CheckWarning(
            "There is no credential for Zendesk, so no job can run.",
            hint="Set ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET; README.md tells how.",
            id="tagmanager.W003",
        )
    for kind, names in CREDENTIALS.items():
        missing = [name for name in names if not getattr(settings, name)]
        if missing and len(missing) < len(names):
            yield CheckWarning(
                f"Half of {kind} is missing: {' and '.join(missing)} is not set, so {kind} is not used.",
                hint=f"Set {' and '.join(names)} together, or none of them.",
                id="tagmanager.W004",
            )
    if len(given) > 1:
        yield CheckWarning(
            f"There is more than one credential for Zendesk: {', '.join(given)}. Only {given[0]} is used.",
            hint=f"Remove the others: {', '.join(name for kind in given[1:] for name in CREDENTIALS[kind])}.",
            id="tagmanager.W005",
        )
    if given[:1] == ["the API token"]:
        yield api_token_warning()


def api_token_warning() -> CheckWarning:
    """The warning about the end of all API tokens, worded for before and after that day."""
    day = f"{API_TOKENS_END.day} {API_TOKENS_END:%B %Y}"
    if timezone.now().date() > API_TOKENS_END:
        message = f"Zendesk ended all API tokens on {day}: every call with ZENDESK_API_TOKEN is refused."
    else:
        message = f"Zendesk ends all API tokens on {day}; ZENDESK_API_TOKEN stops working then."
    return CheckWarning(
        message,
        hint="Make an OAuth client and set ZENDESK_OAUTH_CLIENT_ID and ZENDESK_OAUTH_CLIENT_SECRET instead.",
        id="tagmanager.W006",
    )


@register(SETTINGS)
def check_verifying(**_: Any) -> Iterator[CheckMessage]:
    """What is read back must be one of the ways there are."""
    known = [str(way.value) for way in Verify]
    if settings.VERIFY_WRITES not in known:
        yield Error(
            f"VERIFY_WRITES is {settings.VERIFY_WRITES!r}, and must be one of {', '.join(known)}.",
            hint="sample reads back the first batch of each kind of change and one in fifty after it.",
            id="tagmanager.E015",
        )


@register(Tags.security, SETTINGS)
def check_proxies(**_: Any) -> Iterator[CheckMessage]:
    """Who is trusted to say where a request came from must be clear."""
    yield from validation_errors(
        TrustedProxies.parse, settings.TRUST_PROXY, name="TRUST_PROXY", code="tagmanager.E040"
    )


@register(Tags.security, SETTINGS)
def check_two_factor(**_: Any) -> Iterator[CheckMessage]:
    """Who needs a second factor must be clear, and secrets must have keys that can be used."""
    if settings.REQUIRE_TWO_FACTOR not in TWO_FACTOR_RULES:
        yield Error(
            f"REQUIRE_TWO_FACTOR is {settings.REQUIRE_TWO_FACTOR!r}, and must be one of "
            f"{', '.join(TWO_FACTOR_RULES)}. Until then everybody needs a second factor.",
            hint="runners are those who may run jobs.",
            id="tagmanager.E050",
        )
    for place, key in enumerate(settings.ENCRYPTION_KEYS, start=1):
        yield from validation_errors(
            check_key, key, name=f"ENCRYPTION_KEYS, key {place}", code="tagmanager.E051"
        )


@register(Tags.security, SETTINGS)
def check_proxy_sign_in(**_: Any) -> Iterator[CheckMessage]:
    """A header is believed only from a proxy, so there has to be one."""
    header, logout = settings.PROXY_AUTH_HEADER, settings.PROXY_AUTH_LOGOUT_URL
    if header and not re.fullmatch(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*", header):
        yield Error(
            f"PROXY_AUTH_HEADER is {header!r}, and no proxy can send a header of that name.",
            hint="Name it as the proxy sends it, such as X-Remote-User: letters, digits and dashes.",
            id="tagmanager.E052",
        )
    if header and settings.TRUST_PROXY.strip().lower() in client_address.OFF:
        yield Error(
            "PROXY_AUTH_HEADER is set, and TRUST_PROXY is not: then nobody's header is believed.",
            hint="Set TRUST_PROXY: True for a proxy on this machine, or the networks of the proxies.",
            id="tagmanager.E053",
        )
    if logout and not re.match(r"(https?:/)?/[^\s]", logout):
        yield Error(
            "PROXY_AUTH_LOGOUT_URL must begin with https:// or with a slash.",
            hint="It is the page where the proxy signs people out, such as /oauth2/sign_out.",
            id="tagmanager.E054",
        )


@register(SETTINGS)
def check_environment(**_: Any) -> Iterator[CheckMessage]:
    """The environment must be one that the pages have a colour for."""
    if settings.ZENDESK_ENVIRONMENT not in ("", PRODUCTION, SANDBOX):
        yield Error(
            f"ZENDESK_ENVIRONMENT is {settings.ZENDESK_ENVIRONMENT!r}; it must be {PRODUCTION} or {SANDBOX}.",
            hint="Leave it empty to have the account's name tell.",
            id="tagmanager.E016",
        )


@register(SETTINGS)
def check_sub_path(**_: Any) -> Iterator[CheckMessage]:
    """A sub-path must be one that links can begin with, and that no page of the app begins with."""
    yield from validation_errors(
        checked_sub_path, settings.SCRIPT_NAME, name="SCRIPT_NAME", code="tagmanager.E041"
    )


@register(SETTINGS)
def check_logs(**_: Any) -> Iterator[CheckMessage]:
    """Level and format of the log must be known ones."""
    for name, known, code in (
        ("LOG_LEVEL", settings.LOG_LEVELS, "tagmanager.E012"),
        ("LOG_FORMAT", FORMATS, "tagmanager.E013"),
    ):
        value = getattr(settings, name)
        if value not in known:
            yield Error(
                f"{name} is {value!r}, and must be one of {', '.join(known)}.",
                hint=f"Correct {name} in .env or the environment.",
                id=code,
            )


@register(Tags.security, SETTINGS)
def check_metrics_token(**_: Any) -> Iterator[CheckMessage]:
    """The token must be hard to guess and fit into an HTTP header."""
    token = settings.METRICS_TOKEN
    if token and not (len(token) >= MIN_METRICS_TOKEN_LENGTH and re.fullmatch(r"[!-~]+", token)):
        yield Error(
            f"METRICS_TOKEN must have at least {MIN_METRICS_TOKEN_LENGTH} characters, and only letters, "
            "digits and signs that a header can carry.",
            hint='Make one: python3 -c "import secrets; print(secrets.token_urlsafe(32))". Or remove it, and '
            "/metrics with it.",
            id="tagmanager.E014",
        )


@register(SETTINGS)
def check_reports(**_: Any) -> Iterator[CheckMessage]:
    """The message omits the DSN, which contains a key. The app works without error reports."""
    if not settings.SENTRY_DSN:
        return
    from tagmanager.ops import error_reporting  # noqa: PLC0415  # takes a fifth of a second, so only if configured

    if not error_reporting.is_readable(settings.SENTRY_DSN):
        yield CheckWarning(
            "SENTRY_DSN is not of the form https://KEY@HOST/NUMBER, so no error is reported.",
            hint="Copy it from the settings of the project in Sentry (Client Keys), or remove it.",
            id="tagmanager.W009",
        )


@register(SETTINGS)
def check_queue(**_: Any) -> Iterator[CheckMessage]:
    """Queue settings that Django-Q2 silently accepts but that fail later."""
    cluster = settings.Q_CLUSTER
    timeout, retry = cluster.get("timeout"), cluster.get("retry", 0)
    if type(timeout) is not int:
        yield Error(
            f'Q_CLUSTER["timeout"] is {timeout!r}, and must be a whole number of seconds.',
            hint="Django-Q2 fails every task when it is anything else.",
            id="tagmanager.E008",
        )
    elif retry <= timeout:
        yield Error(
            f'Q_CLUSTER["retry"] is {retry}, and must be above "timeout", which is {timeout}.',
            hint="Otherwise a task is started again while it still runs.",
            id="tagmanager.E009",
        )
    if cluster.get("orm") != "default":
        yield Error(
            f'Q_CLUSTER["orm"] is {cluster.get("orm")!r}, and must be "default", the database of the jobs.',
            hint="A job and its wake-up are written in one transaction; with two databases one can be lost.",
            id="tagmanager.E010",
        )


@register(SETTINGS)
def check_tools(**_: Any) -> Iterator[CheckMessage]:
    """A duplicate or incomplete tool must be found at start, not by its first job."""
    try:
        load(settings.TOOLS)
    except ImproperlyConfigured as problem:
        yield Error(str(problem), hint="Mend the setting TOOLS, or the tool.", id="tagmanager.E011")


@register(SETTINGS)
def check_sqlite_settings(**_: Any) -> Iterator[CheckMessage]:
    """SQLite needs WAL and IMMEDIATE transactions when web and workers share it."""
    database = settings.DATABASES["default"]
    if database["ENGINE"] != "django.db.backends.sqlite3":
        return
    options = database.get("OPTIONS", {})
    asks_for_wal = "journal_mode=wal" in options.get("init_command", "").lower().replace(" ", "")
    if not asks_for_wal or options.get("transaction_mode") != "IMMEDIATE":
        yield CheckWarning(
            "SQLite is used without WAL and IMMEDIATE transactions: pages fail while a worker writes.",
            hint='Restore "init_command" and "transaction_mode" in the database\'s OPTIONS.',
            id="tagmanager.W007",
        )


@register(Tags.database)
def check_sqlite_journal(databases: Sequence[str] | None = None, **_: Any) -> Iterable[CheckMessage]:
    """SQLite silently keeps its old journal mode if the disk does not support WAL."""
    for alias in databases or ():
        connection = connections[alias]
        if connection.vendor != "sqlite":
            continue
        mode = "wal"
        with suppress(DatabaseError), connection.cursor() as cursor:
            mode = cursor.execute("PRAGMA journal_mode").fetchone()[0]
        if mode not in {"wal", "memory"}:
            yield CheckWarning(
                f"SQLite's journal is in mode {mode!r} and not WAL: pages fail while a worker writes.",
                hint="Put the file on a local disk (network disks have no WAL), or use PostgreSQL.",
                id="tagmanager.W008",
            )


@register(Tags.database)
def check_schema(databases: Sequence[str] | None = None, **_: Any) -> Iterable[CheckMessage]:
    """An older program would overlook what a newer database holds. One that is away says nothing."""
    if "default" not in (databases or ()):
        return
    with suppress(DatabaseError):
        if sentence := schema.newer_problem():
            yield Error(sentence, id="tagmanager.E017")


@register(Tags.database)
def check_pooler(databases: Sequence[str] | None = None, **_: Any) -> Iterable[CheckMessage]:
    """A pooler between us and PostgreSQL takes no options at the start, and passes no time-outs on."""
    for alias in databases or ():
        connection = connections[alias]
        if connection.vendor != "postgresql":
            continue
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT current_user, current_setting('lock_timeout') <> '0' "
                    "AND current_setting('idle_in_transaction_session_timeout') <> '0'"
                )
                role, has_timeouts = cursor.fetchone()
        except DatabaseError as problem:
            if trouble_in(problem) is Trouble.POOLED:
                yield Error(
                    Trouble.POOLED.value,
                    hint="docs/settings.md tells what else it needs, under DATABASE_POOLED.",
                    id="tagmanager.E030",
                )
            continue  # who uses the database meets any other problem
        if settings.DATABASE_POOLED and not has_timeouts:
            yield CheckWarning(
                f"The database's role {role} has no time-outs: a process suspended within a transaction "
                "would lock its rows for all others.",
                hint="In PostgreSQL, and then restart the pooler: "
                f"ALTER ROLE {role} SET lock_timeout = '30s'; "
                f"ALTER ROLE {role} SET idle_in_transaction_session_timeout = '60s';",
                id="tagmanager.W030",
            )
