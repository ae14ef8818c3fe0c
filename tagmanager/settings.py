"""Settings, each from one environment variable or one line of `.env`.

The documentation explains the variables and .env.example lists them all. System checks in
`tagmanager.ops.checks` report settings that are missing or contradict each other.
"""

import os
import re
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from csp.constants import NONE, SELF
from django.core.management.utils import get_random_secret_key

from jobs.common import private_files
from tagmanager.environment.reader import Environment
from tagmanager.middleware import client_address
from tagmanager.version import version

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = version()
env = Environment()

# The demo never reads `.env`, so that it cannot reach a real Zendesk configured there.
DEMO: bool = env.bool("TAGMANAGER_DEMO", default=False)
ENV_FILE = None if DEMO else Path(env.str("TAGMANAGER_ENV_FILE", default=str(BASE_DIR / ".env")))
if ENV_FILE:
    env.read_file(ENV_FILE)
#: Sentences on what is odd in `.env`; tagmanager.W010 shows them.
ENV_FILE_NOTES = env.notes

DEBUG: bool = env.bool("DEBUG", default=False)
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))
try:
    private_files.make_folder(VAR_DIR)
except OSError as problem:
    env.problems.append(f"VAR_DIR: the folder {VAR_DIR} cannot be made: {problem.strerror}.")
    env.check()


def stored_key(path: Path) -> str:
    """A secret key, created once in a file that only its owner can read: web and worker must share it."""
    with NamedTemporaryFile("w", dir=path.parent, encoding="utf-8") as draft:  # mode 600
        draft.write(get_random_secret_key())
        draft.flush()
        # A link is atomic: if two processes do this at once, both use the key of the first.
        with suppress(FileExistsError):
            os.link(draft.name, path)
    return path.read_text(encoding="utf-8")


# Outside DEBUG and the demo a missing key stays empty, and tagmanager.E001 says what to do.
SECRET_KEY: str = env.str("SECRET_KEY", default="")
if not SECRET_KEY and (DEBUG or DEMO):
    SECRET_KEY = stored_key(VAR_DIR / "secret-key")
# Earlier keys, with which sessions and stored secrets can still be read.
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", default=[])
# Keys for secrets in the database, newest first; without one they are derived from SECRET_KEY.
ENCRYPTION_KEYS: list[str] = env.list("ENCRYPTION_KEYS", default=[])

ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"] if DEMO else [])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# The path below which the app is reached, such as /tags; "" for the root of a host.
SCRIPT_NAME: str = env.str("SCRIPT_NAME", default="").strip().rstrip("/")
FORCE_SCRIPT_NAME = SCRIPT_NAME or None

INSTALLED_APPS = [
    "tagmanager",
    "jobs",
    "tagmanager.admin_app.OversightConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    # Before staticfiles: `runserver` then serves static files the way gunicorn does.
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "axes",
    "crispy_bootstrap5",
    "crispy_forms",
    "csp",
    "django_htmx",
    "django_q",
]

MIDDLEWARE = [
    # Around all others, which may look at the body or give its length.
    "tagmanager.middleware.head_requests.middleware",
    # Before anything that looks at who sent the request.
    "tagmanager.middleware.proxy_peer.middleware",
    # Before all that asks who the client is, and whether the request came by https.
    "tagmanager.middleware.client_address.middleware",
    # Next, so that the policy is also on answers to failures below it, such as a rejected host or a database
    # that is unavailable: those answers are created outside the failing layer.
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Below the static files, which browsers may keep; above all the rest.
    "tagmanager.middleware.no_store.middleware",
    # Before all that reads a form: the check of its token does.
    "tagmanager.middleware.upload_limit.middleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "tagmanager.middleware.probe_hosts.CommonExceptForProbes",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Still before a form is read: the check of its token comes after all that is here.
    "tagmanager.middleware.upload_limit.uploaders_middleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "tagmanager.people.proxy_sign_in.middleware",
    "tagmanager.people.gate.middleware",
    "tagmanager.middleware.timezone.middleware",
    "tagmanager.account.patience.middleware",
    # Last, so that it sees every answer that can refuse a login.
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "tagmanager.urls"
WSGI_APPLICATION = "tagmanager.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "tagmanager.account.place.context",
                "jobs.views.banner.standstill_banner",
            ],
        },
    },
]
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# --- Database ---------------------------------------------------------------------------------------------

SQLITE_FILE = VAR_DIR / ("demo.sqlite3" if DEMO else "tagmanager.sqlite3")
DATABASE: dict[str, Any] = env.db_url(
    "DATABASE_URL", default={"ENGINE": "django.db.backends.sqlite3", "NAME": str(SQLITE_FILE)}
)
# A worker polls its queue several times a second. With a connection per query, throughput was an eighth.
DATABASE["CONN_MAX_AGE"] = 600
# Seconds that a write waits for other writes: SQLite has one lock for all, PostgreSQL one per row.
DATABASE_LOCK_TIMEOUT: int = env.int("DATABASE_LOCK_TIMEOUT", default=30, least=1, most=3600)
# Behind a pooler that lends a connection for one transaction at a time, such as pgbouncer.
DATABASE_POOLED: bool = env.bool("DATABASE_POOLED", default=False)
if DATABASE["ENGINE"] == "django.db.backends.sqlite3":
    DATABASE["NAME"] = str(BASE_DIR / DATABASE["NAME"])  # an absolute path stays as it is
    # SQLite would make it with the mode of the umask, and gives its journal the mode of the file.
    private_files.make_database_file(Path(DATABASE["NAME"]))
    DATABASE["OPTIONS"] = {
        # A transaction takes the write lock at its start and waits for it. By default SQLite reads first and
        # locks later, and then a web request fails while a worker writes.
        "transaction_mode": "IMMEDIATE",
        "timeout": DATABASE_LOCK_TIMEOUT,
        # No mmap_size: mapped pages would count as the worker's memory. Django turns foreign keys on.
        "init_command": (
            "PRAGMA journal_mode=WAL;"
            "PRAGMA synchronous=NORMAL;"
            "PRAGMA cache_size=-16000;"
            "PRAGMA temp_store=MEMORY;"
            "PRAGMA journal_size_limit=67108864;"
        ),
    }
else:
    # No connection pool: Django-Q2's forked workers would share its sockets and hang.
    DATABASE["CONN_HEALTH_CHECKS"] = True
    # A cursor of the server would outlive the transaction in which it was opened.
    DATABASE["DISABLE_SERVER_SIDE_CURSORS"] = DATABASE_POOLED
    # Options in the address itself (?connect_timeout=3&options=…) take precedence.
    DATABASE["OPTIONS"] = {
        # By default libpq waits minutes, or for ever, for a server behind a dead network.
        "connect_timeout": 10,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
        "prepare_threshold": None,  # no statement is prepared: the next connection would not know it
    } | DATABASE.get("OPTIONS", {})
    if not DATABASE_POOLED:  # poolers refuse this; there the role has the time-outs (tagmanager.W030)
        DATABASE["OPTIONS"].setdefault(
            "options",
            # Otherwise a process suspended within a transaction would lock its rows for all others.
            f"-c lock_timeout={DATABASE_LOCK_TIMEOUT}s -c idle_in_transaction_session_timeout=60s",
        )
DATABASES: dict[str, dict[str, Any]] = {"default": DATABASE}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Files that web and workers share; Django-Q2 records there which clusters are alive.
CACHES = {
    "default": {
        "BACKEND": "tagmanager.ops.cache.FaultTolerantCache",
        "LOCATION": str(VAR_DIR / "cache"),
    }
}

# --- Queue ------------------------------------------------------------------------------------------------

# A message only wakes a worker for a job's row, so Django-Q2 never retries one and stores no successes.
Q_CLUSTER: dict[str, Any] = {
    "name": "tagmanager",
    "label": "Queue",
    # The same database as the jobs, so that a job and its wake-up are committed in one transaction.
    "orm": "default",
    "broker_class": "jobs.workers.watching_broker.WatchingBroker",
    "workers": env.int("Q_WORKERS", default=2, least=1, most=64),
    # Whole seconds: Django-Q2 fails every task if this is a float.
    "timeout": 120,
    # Far above the timeout: the lock on a message starts when it is fetched and is never renewed.
    "retry": 300,
    "ack_failures": True,
    "max_attempts": 1,
    "queue_limit": 1,
    "bulk": 1,
    # With the default of 250 each success reads all stored ones; -1 was six times faster.
    "save_limit": -1,
    # Below 0.5 the guard no longer stops a worker that exceeds its timeout.
    "guard_cycle": 0.5,
    "poll": 0.2,
    # A row in the table of schedules runs any function by its name, and we have none.
    "scheduler": False,
    "catch_up": False,
    # High, because a worker that is recycled while the cluster stops is not replaced, and the stop hangs.
    "recycle": 100_000,
}
# The function that returns the work of a job.
JOBS_WORK = "tagmanager.changes.ticket_work.work_for"
# Labels for tools, tickets and failures on the pages of `jobs` (jobs.presentation.labels.Labels).
JOBS_WORDS = "tagmanager.job_labels"
# What a worker does once a day, each a function that says whether anything is left (jobs.workers.chores).
JOBS_DAILY_CHORES = ["tagmanager.people.sign_in_rows.remove_old_ones"]
# The tools in the order of the pages; each implements `tagmanager.tools.base.Tool`.
TOOLS = [
    "tagmanager.tools.bulk_tag.BulkTag",
    "tagmanager.tools.rename_tags.RenameTags",
    "tagmanager.tools.remove_pattern.RemovePattern",
    "tagmanager.tools.tag_rows.TagRows",
    "tagmanager.tools.apply_macro.ApplyMacro",
    "tagmanager.tools.count_tags.CountTags",
    *env.list("TOOLS", default=[]),
]

# --- Zendesk ----------------------------------------------------------------------------------------------

ZENDESK_SUBDOMAIN: str = env.str("ZENDESK_SUBDOMAIN", default="")
ZENDESK_BASE_URL: str = env.str("ZENDESK_BASE_URL", default="")
# Shown beside the account's name on every page: production, sandbox or demo. Empty: its name tells.
ZENDESK_ENVIRONMENT: str = env.str("ZENDESK_ENVIRONMENT", default="").strip().lower()
ZENDESK_OAUTH_CLIENT_ID: str = env.str("ZENDESK_OAUTH_CLIENT_ID", default="")
ZENDESK_OAUTH_CLIENT_SECRET: str = env.str("ZENDESK_OAUTH_CLIENT_SECRET", default="")
# Scopes to ask for. Search and its count need the global "read"; no finer scope covers them.
ZENDESK_OAUTH_SCOPE: str = env.str("ZENDESK_OAUTH_SCOPE", default="").strip() or "read tickets:write"
ZENDESK_OAUTH_TOKEN: str = env.str("ZENDESK_OAUTH_TOKEN", default="")
ZENDESK_EMAIL: str = env.str("ZENDESK_EMAIL", default="")
ZENDESK_API_TOKEN: str = env.str("ZENDESK_API_TOKEN", default="")
# Limit on bulk jobs in flight, for all our jobs together; Zendesk allows 30 for the whole account.
ZENDESK_MAX_JOBS: int = env.int("ZENDESK_MAX_JOBS", default=28, least=1, most=30)
# The share of the account's calls per minute that we may use.
ZENDESK_RATE_SHARE: float = env.float("ZENDESK_RATE_SHARE", default=0.7, above=0, most=1)
# What is read back of what Zendesk called updated: sample, all or off.
VERIFY_WRITES: str = env.str("VERIFY_WRITES", default="sample")

# Jobs of up to this many tickets run within the web request; larger ones run in the background.
SYNC_TICKET_LIMIT: int = env.int("SYNC_TICKET_LIMIT", default=500, least=0, most=1_000_000_000)
JOB_TICKET_LIMIT: int = env.int("JOB_TICKET_LIMIT", default=2_000_000, least=1, most=1_000_000_000)
# Bytes of one upload, and of a file that a command reads.
UPLOAD_LIMIT: int = env.int("UPLOAD_LIMIT", default=200_000_000, least=1, most=1_000_000_000_000)

# --- People -----------------------------------------------------------------------------------------------

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = LOGIN_URL
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
# Sign-in by a proxy's word: the header in which it names a person. Off where no header is named.
PROXY_AUTH_HEADER: str = env.str("PROXY_AUTH_HEADER", default="").strip()
# Whether people whom the proxy names get an account by that; it has no permission yet.
PROXY_AUTH_CREATE: bool = env.bool("PROXY_AUTH_CREATE", default=False)
# Where the proxy signs people out, for the page that is shown after signing out here.
PROXY_AUTH_LOGOUT_URL: str = env.str("PROXY_AUTH_LOGOUT_URL", default="").strip()
if PROXY_AUTH_HEADER:
    AUTHENTICATION_BACKENDS.append("tagmanager.people.proxy_sign_in.ProxyBackend")
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
# Ten wrong passwords lock that user name for that address for an hour, and nothing else; many over all names
# lock the address, except for people who signed in from there before (`tagmanager.people.lockouts`).
AXES_HANDLER = "tagmanager.people.lockouts.Handler"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 1
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_CLIENT_IP_CALLABLE = "tagmanager.middleware.client_address.network_of"
AXES_RESET_ON_SUCCESS = True
# A lock-out ends when its page says, however often somebody tries meanwhile.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
# Otherwise django-axes would store these fields of the forms with the attempt.
AXES_SENSITIVE_PARAMETERS = [
    *("username", "ip_address", "csrfmiddlewaretoken", "kept", "next"),
    *("old_password", "new_password1", "new_password2"),
]
AXES_ENABLE_ADMIN = False  # ours is tagmanager.people.lockouts_admin
# Who needs a second factor besides the password: off, runners (those who may run jobs) or all.
REQUIRE_TWO_FACTOR: str = env.str("REQUIRE_TWO_FACTOR", default="off").strip().lower()
# How long sign-ins and failed ones are kept, days.
SIGN_IN_LOG_DAYS: int = env.int("SIGN_IN_LOG_DAYS", default=90, least=1)
AXES_USERNAME_CALLABLE = "tagmanager.views.people.attempted_username"
AXES_LOCKOUT_CALLABLE = "tagmanager.views.people.locked_out"

LANGUAGE_CODE = "en-us"
FORMAT_MODULE_PATH = ["tagmanager.formats"]
TIME_ZONE = "UTC"
USE_TZ = True

# --- HTTP -------------------------------------------------------------------------------------------------

# The demo and a developer's server use plain http://127.0.0.1; everything else is behind TLS.
USE_HTTPS: bool = env.bool("USE_HTTPS", default=not (DEBUG or DEMO))
SECURE_SSL_REDIRECT = USE_HTTPS
# Probes come from inside the network and do not follow redirects.
SECURE_REDIRECT_EXEMPT = [
    "^" + re.escape(f"{SCRIPT_NAME}/{probe}".lstrip("/")) + "$" for probe in ("healthz", "metrics")
]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if USE_HTTPS else 0
# Only the owner of the domain can decide about HSTS for subdomains and the browsers' preload lists.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
# Instances on one host share a browser's cookies, whatever their ports, so names differ by installation.
# The prefixes make the browser refuse such a cookie from http, and from another host of the domain.
COOKIE_PREFIX = ("__Secure-" if SCRIPT_NAME else "__Host-") if USE_HTTPS else ""
INSTALLATION = sha256("\0".join((SECRET_KEY, str(DATABASE["NAME"]), SCRIPT_NAME)).encode()).hexdigest()[:8]
COOKIE_NAME = f"{COOKIE_PREFIX}{'tagmanager-demo' if DEMO else 'tagmanager'}-{{}}-{INSTALLATION}"
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = COOKIE_NAME.format("session"), COOKIE_NAME.format("csrf")
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = f"{SCRIPT_NAME}/"
# Otherwise Django puts messages into a cookie without any of this.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_COOKIE_SECURE = USE_HTTPS
CSRF_COOKIE_SECURE = USE_HTTPS
CSRF_COOKIE_HTTPONLY = True  # forms contain the token; no script reads the cookie
SESSION_COOKIE_AGE = 12 * 3600  # one working day
CSRF_FAILURE_VIEW = "tagmanager.views.people.csrf_failed"
X_FRAME_OPTIONS = "DENY"
# True for one proxy, a number of them, or their networks; tagmanager.E040 reports anything else.
TRUST_PROXY: str = env.str("TRUST_PROXY", default="")
# `client_address.middleware` drops this header unless one of these proxies sent it.
if TRUST_PROXY.strip().lower() not in client_address.OFF:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# No inline script, inline style or eval, so text from Zendesk never runs. With htmx, hx-on and filters in
# hx-trigger therefore do not work; scripts belong in files under static/.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],  # Bootstrap's style sheet embeds small icons as data
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

STATIC_URL = f"{SCRIPT_NAME}/static/"
STATIC_ROOT = VAR_DIR / "static"
with suppress(OSError):  # whitenoise warns at each start if it is missing
    STATIC_ROOT.mkdir(exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "static"]
# With DEBUG and in the demo nobody runs collectstatic, so files are served from their sources.
STATIC_COLLECTED = not (DEBUG or DEMO)
WHITENOISE_USE_FINDERS = not STATIC_COLLECTED
WHITENOISE_AUTOREFRESH = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "tagmanager.ops.static_files.ModuleStorage"
            if STATIC_COLLECTED
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}

# --- Monitoring -------------------------------------------------------------------------------------------

# Grants access to /metrics; without a token that page does not exist.
METRICS_TOKEN: str = env.str("METRICS_TOKEN", default="")
# Where to report bugs in the program, without any data; without a DSN nothing is reported.
SENTRY_DSN: str = env.str("SENTRY_DSN", default="")
# The error page of DEBUG shows settings; this filter hides secrets.
DEFAULT_EXCEPTION_REPORTER_FILTER = "tagmanager.views.server_errors.SettingsFilter"

# --- Logging ----------------------------------------------------------------------------------------------

# One line per event on standard error: time, level, logger, job and batch, message. Standard output belongs
# to the commands.
LOG_LEVEL: str = env.str("LOG_LEVEL", default="INFO").upper()
LOG_FORMAT: str = env.str("LOG_FORMAT", default="text").lower()
# An unknown level would make Python fail with a traceback; tagmanager.E012 explains the setting instead.
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
KNOWN_LOG_LEVEL = LOG_LEVEL if LOG_LEVEL in LOG_LEVELS else "INFO"
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "context": {"()": "tagmanager.ops.logging.ContextFilter"},
        "head": {"()": "tagmanager.ops.logging.HeadFilter"},
    },
    # An unknown format means text, and tagmanager.E013 reports it.
    "formatters": {
        "line": {
            "()": "tagmanager.ops.logging.JsonLineFormatter"
            if LOG_FORMAT == "json"
            else "tagmanager.ops.logging.TextFormatter"
        },
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["context"]}},
    "root": {"handlers": ["stderr"], "level": KNOWN_LOG_LEVEL},
    "loggers": {
        # Without Django's own handlers, which would log the same event twice.
        "django": {"handlers": [], "level": KNOWN_LOG_LEVEL, "propagate": True},
        "django.request": {"filters": ["head"]},
        "django.server": {"handlers": [], "level": KNOWN_LOG_LEVEL, "propagate": True},
        # At DEBUG these two log whole URLs and headers.
        "urllib3": {"level": "WARNING"},
        "requests": {"level": "WARNING"},
        # Otherwise two lines per wake-up; `jobs` logs what matters.
        "django-q": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
    },
}

# Last, so that one look shows all values that make no sense.
env.check()
