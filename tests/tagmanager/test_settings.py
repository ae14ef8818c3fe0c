"""What the settings become under an environment, read by a process of its own."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
KEY = "a-key-for-this-test-alone-" + "0123456789abcdef" * 3

SHOW = """
import json, sys
from tagmanager import settings
print(json.dumps({name: getattr(settings, name) for name in sys.argv[1:]}, default=str))
"""


def read(environment: dict[str, str], *names: str) -> dict[str, Any]:
    """The settings of these names in a process with this environment."""
    done = subprocess.run(
        [sys.executable, "-c", SHOW, *names],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    values: dict[str, Any] = json.loads(done.stdout)
    return values


def test_a_fresh_installation_has_the_documented_defaults(bare_environment: dict[str, str]) -> None:
    documented = {
        "DEBUG": False,
        "ALLOWED_HOSTS": [],
        "CSRF_TRUSTED_ORIGINS": [],
        "SECRET_KEY": "",
        "ZENDESK_SUBDOMAIN": "",
        "ZENDESK_BASE_URL": "",
        "ZENDESK_OAUTH_CLIENT_ID": "",
        "ZENDESK_OAUTH_CLIENT_SECRET": "",
        "ZENDESK_OAUTH_TOKEN": "",
        "ZENDESK_EMAIL": "",
        "ZENDESK_API_TOKEN": "",
        "ZENDESK_MAX_JOBS": 28,
        "ZENDESK_RATE_SHARE": 0.7,
        "VERIFY_WRITES": "sample",
        "SYNC_TICKET_LIMIT": 500,
        "JOB_TICKET_LIMIT": 2_000_000,
    }
    assert read(bare_environment, *documented) == documented


def test_the_database_is_a_sqlite_file_in_a_folder_that_is_made(bare_environment: dict[str, str]) -> None:
    var = Path(bare_environment["VAR_DIR"])
    assert not var.exists()
    database = read(bare_environment, "DATABASES")["DATABASES"]["default"]
    assert (database["ENGINE"], database["NAME"]) == (
        "django.db.backends.sqlite3",
        str(var / "tagmanager.sqlite3"),
    )
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert var.is_dir()


def test_a_relative_sqlite_path_means_the_same_file_from_any_folder(bare_environment: dict[str, str]) -> None:
    database = read({**bare_environment, "DATABASE_URL": "sqlite:///var/mine.sqlite3"}, "DATABASES")
    assert database["DATABASES"]["default"]["NAME"] == str(ROOT / "var" / "mine.sqlite3")


def test_postgresql_keeps_checked_connections_and_has_no_pool(bare_environment: dict[str, str]) -> None:
    url = "postgres://ana:p%40ss@db.test:5433/tags"
    database = read({**bare_environment, "DATABASE_URL": url}, "DATABASES")["DATABASES"]["default"]
    assert {name: database[name] for name in ("ENGINE", "HOST", "PORT", "NAME", "USER", "PASSWORD")} == {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "db.test",
        "PORT": 5433,
        "NAME": "tags",
        "USER": "ana",
        "PASSWORD": "p@ss",
    }
    assert (database["CONN_MAX_AGE"], database["CONN_HEALTH_CHECKS"]) == (600, True)
    assert "pool" not in database.get("OPTIONS", {})


def test_through_a_pooler_nothing_is_kept_in_a_connection(bare_environment: dict[str, str]) -> None:
    url = {**bare_environment, "DATABASE_URL": "postgres://ana@db.test/tags"}
    direct = read(url, "DATABASES")["DATABASES"]["default"]
    pooled = read({**url, "DATABASE_POOLED": "True"}, "DATABASES")["DATABASES"]["default"]
    assert "lock_timeout=30s" in direct["OPTIONS"]["options"]
    assert "options" not in pooled["OPTIONS"]
    assert pooled["OPTIONS"]["prepare_threshold"] is None
    assert (direct["DISABLE_SERVER_SIDE_CURSORS"], pooled["DISABLE_SERVER_SIDE_CURSORS"]) == (False, True)


def test_the_queue_never_repeats_a_message_by_itself(bare_environment: dict[str, str]) -> None:
    cluster = read({**bare_environment, "Q_WORKERS": "3"}, "Q_CLUSTER")["Q_CLUSTER"]
    assert cluster == {
        "name": "tagmanager",
        "label": "Queue",
        "orm": "default",
        "broker_class": "jobs.workers.watching_broker.WatchingBroker",
        "workers": 3,
        "timeout": 120,
        "retry": 300,
        "ack_failures": True,
        "max_attempts": 1,
        "queue_limit": 1,
        "bulk": 1,
        "save_limit": -1,
        "guard_cycle": 0.5,
        "poll": 0.2,
        "scheduler": False,
        "catch_up": False,
        "recycle": 100_000,
    }


HTTP = ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS")
SECURE = [True, True, True, 365 * 24 * 3600]
PLAIN = [False, False, False, 0]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, SECURE),
        ({"DEBUG": "1"}, PLAIN),
        ({"TAGMANAGER_DEMO": "1"}, PLAIN),
        ({"USE_HTTPS": "0"}, PLAIN),
        ({"DEBUG": "1", "USE_HTTPS": "1"}, SECURE),
    ],
)
def test_only_the_demo_and_a_developer_get_plain_http(
    bare_environment: dict[str, str], environment: dict[str, str], expected: list[Any]
) -> None:
    assert list(read({**bare_environment, **environment}, *HTTP).values()) == expected


def test_the_policy_of_contents_allows_nothing_inline(bare_environment: dict[str, str]) -> None:
    policy = read(bare_environment, "CONTENT_SECURITY_POLICY")["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]
    allowed = {source for sources in policy.values() for source in sources}
    assert allowed == {"'none'", "'self'", "data:"}
    assert policy["script-src"] == policy["style-src"] == ["'self'"]


def test_dot_env_is_read_and_the_environment_wins(bare_environment: dict[str, str]) -> None:
    file = Path(bare_environment["TAGMANAGER_ENV_FILE"])
    file.write_text("ZENDESK_SUBDOMAIN=acme\nZENDESK_MAX_JOBS=5\n", encoding="utf-8")
    values = read({**bare_environment, "ZENDESK_MAX_JOBS": "7"}, "ZENDESK_SUBDOMAIN", "ZENDESK_MAX_JOBS")
    assert values == {"ZENDESK_SUBDOMAIN": "acme", "ZENDESK_MAX_JOBS": 7}


def test_the_demo_never_reads_dot_env(bare_environment: dict[str, str]) -> None:
    Path(bare_environment["TAGMANAGER_ENV_FILE"]).write_text("ZENDESK_SUBDOMAIN=acme\n", encoding="utf-8")
    demo = {**bare_environment, "TAGMANAGER_DEMO": "1"}
    assert read(demo, "ZENDESK_SUBDOMAIN", "ALLOWED_HOSTS", "STATIC_COLLECTED") == {
        "ZENDESK_SUBDOMAIN": "",
        "ALLOWED_HOSTS": ["127.0.0.1", "localhost"],
        "STATIC_COLLECTED": False,
    }


@pytest.mark.parametrize("mode", ["TAGMANAGER_DEMO", "DEBUG"])
def test_web_and_worker_of_a_demo_share_one_key_that_only_its_owner_can_read(
    bare_environment: dict[str, str], mode: str
) -> None:
    environment = {**bare_environment, mode: "1"}
    first, second = read(environment, "SECRET_KEY"), read(environment, "SECRET_KEY")
    file = Path(environment["VAR_DIR"]) / "secret-key"
    assert first == second == {"SECRET_KEY": file.read_text(encoding="utf-8")}
    assert len(first["SECRET_KEY"]) >= 50
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_production_environment_passes_the_checks_for_deployment(bare_environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={
            **bare_environment,
            "SECRET_KEY": KEY,
            "ALLOWED_HOSTS": "tags.example.com",
            "CSRF_TRUSTED_ORIGINS": "https://tags.example.com",
            "DATABASE_URL": "postgres://tagmanager:secret@127.0.0.1/tagmanager",
            "ZENDESK_SUBDOMAIN": "acme",
            "ZENDESK_OAUTH_CLIENT_ID": "tag_manager",
            "ZENDESK_OAUTH_CLIENT_SECRET": "client-secret-value",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "System check identified no issues (2 silenced).\n"


@pytest.mark.slow
def test_every_static_file_can_be_collected_for_production(bare_environment: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"],
        cwd=ROOT,
        env={**bare_environment, "SECRET_KEY": KEY},
        capture_output=True,
        text=True,
        check=True,
    )
    manifest = json.loads((Path(bare_environment["VAR_DIR"]) / "static/staticfiles.json").read_text())
    collected = {name for name in manifest["paths"] if name.startswith("vendor/")}
    assert collected == {"vendor/bootstrap.bundle.min.js", "vendor/bootstrap.min.css", "vendor/htmx.min.js"}


def variables_read() -> set[str]:
    """Every variable that the settings ask the environment for, from their source."""
    tree = ast.parse((ROOT / "tagmanager/settings.py").read_text(encoding="utf-8"))
    return {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "env"
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def test_the_example_of_dot_env_names_exactly_the_variables_that_are_read() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = re.findall(r"^(?:# )?([A-Z_]+)=", example, re.MULTILINE)
    assert sorted(named) == sorted(variables_read())


def test_the_page_of_settings_explains_every_variable_that_is_read() -> None:
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"`([A-Z_]+)`", "\n".join(re.findall(r"^\| (`.*?) \|", page, re.MULTILINE))))
    assert explained == variables_read()


def test_the_environment_is_read_in_no_other_way() -> None:
    source = (ROOT / "tagmanager/settings.py").read_text(encoding="utf-8")
    assert re.findall(r"environ\[|environ\.get|getenv|\benv\(", source) == []


def test_the_defaults_shown_in_the_example_are_the_real_ones(
    bare_environment: dict[str, str], tmp_path: Path
) -> None:
    shown = {
        "DEBUG",
        "USE_HTTPS",
        "LOG_FORMAT",
        "LOG_LEVEL",
        "DATABASE_LOCK_TIMEOUT",
        "ZENDESK_MAX_JOBS",
        "ZENDESK_RATE_SHARE",
        "VERIFY_WRITES",
        "SYNC_TICKET_LIMIT",
        "JOB_TICKET_LIMIT",
    }
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    lines = [
        f"{name}={value}"
        for name, value in re.findall(r"^# ([A-Z_]+)=(.*)$", example, re.MULTILINE)
        if name in shown
    ]
    assert len(lines) == len(shown)
    file = tmp_path / "shown.env"
    file.write_text("\n".join(lines), encoding="utf-8")
    with_example = read({**bare_environment, "TAGMANAGER_ENV_FILE": str(file)}, *sorted(shown))
    assert with_example == read(bare_environment, *sorted(shown))


def test_a_command_loads_nothing_to_call_or_to_draw_with_before_it_does(
    bare_environment: dict[str, str],
) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "manage.py", "tag_tickets", "--help"],
        cwd=ROOT,
        env={**bare_environment, "TAGMANAGER_DEMO": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(re.findall(r"(\S+)$", done.stderr, re.MULTILINE))
    assert loaded & {"zendesk.client", "jobs.cli.progress_lines", "requests", "urllib3", "rich"} == {
        "zendesk.client",
        "jobs.cli.progress_lines",
    }
