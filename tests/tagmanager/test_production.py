"""What every answer carries where the app really serves: behind TLS, with collected files, without DEBUG.

A process of its own, because the settings are read once.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
HOST = "tags.example.com"
POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}
#: Each request is a line: who, verb, address, https or not, host. Each answer becomes one object. With a
#: pattern as the second argument, every address that it finds in an answer is fetched too, once.
ASK = """
import json, re, sys
from urllib.parse import urljoin
import django
django.setup()
from django.core.management import call_command
call_command("collectstatic", interactive=False, verbosity=0)
if sys.argv[1] == "with a database":
    call_command("migrate", verbosity=0)
    from django.contrib.auth.models import User
    User.objects.create_superuser("root", password="correct horse battery")
from django.test import Client
browsers = {"stranger": Client(raise_request_exception=False), "root": Client(raise_request_exception=False)}
if sys.argv[1] == "with a database":
    browsers["root"].force_login(User.objects.get())
else:
    from django.conf import settings
    browsers["root"].cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
answers, asked = [], json.load(sys.stdin)
link = re.compile(sys.argv[2], re.MULTILINE) if sys.argv[2:] else None
for who, verb, address, secure, host in asked:  # grows while it is read
    browser = browsers[who]
    body = {"username": "root", "password": "correct horse battery"} if verb == "post" else None
    answer = getattr(browser, verb)(address, body, secure=secure, headers={"host": host})
    cookies = {
        name: [bool(c["secure"]), bool(c["httponly"]), c["samesite"]] for name, c in answer.cookies.items()
    }
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    answers.append({
        "asked": f"{who} {verb} {address}", "status": answer.status_code, "headers": dict(answer.items()),
        "cookies": cookies, "body": body.decode(),
    })
    for found in link.findall(body.decode()) if link else ():
        request = [who, "get", urljoin(address, found), secure, host]
        if request not in asked:
            asked.append(request)
json.dump(answers, sys.stdout)
"""
#: A script of a page, or what a module imports.
MODULE = r"""(?:<script (?:type="module" )?src=|^import [^"']*)["']([^"']+)"""
ERRORS = ("/nonsense", "/jobs/4711/")
PAGES = (
    "/",
    "/jobs/",
    "/tools/bulk-tag/",
    "/password/",
    "/connection",
    "/admin/",
    "/admin/auth/user/",
    "/healthz",
)


def production(bare: dict[str, str], **more: str) -> dict[str, str]:
    return {
        **bare,
        "DJANGO_SETTINGS_MODULE": "tagmanager.settings",
        "SECRET_KEY": "a-key-for-this-test-alone-" + "0123456789abcdef" * 3,
        "ALLOWED_HOSTS": HOST,
        "LOG_LEVEL": "CRITICAL",
        "ZENDESK_SUBDOMAIN": "acme",
        "ZENDESK_OAUTH_TOKEN": "a-token-of-this-test",
        **more,
    }


def asked(
    environment: dict[str, str], database: str, requests: list[list[Any]], *follow: str
) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-c", ASK, database, *follow],
        cwd=ROOT,
        env=environment,
        input=json.dumps(requests),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def missing_from(answer: dict[str, Any]) -> set[str]:
    """The promises that the headers of an answer do not keep."""
    headers = answer["headers"]
    policy = {part.strip() for part in headers.get("Content-Security-Policy", "").split(";")}
    kept = {
        "policy": policy == POLICY,
        "frames": headers.get("X-Frame-Options") == "DENY",
        "types": headers.get("X-Content-Type-Options") == "nosniff",
        "referrer": headers.get("Referrer-Policy") == "same-origin",
        "opener": headers.get("Cross-Origin-Opener-Policy") == "same-origin",
        "transport": headers.get("Strict-Transport-Security") == "max-age=31536000",
    }
    return {name for name, is_kept in kept.items() if not is_kept}


def test_every_answer_bears_every_header_and_cookies_stay_with_us(bare_environment: dict[str, str]) -> None:
    requests: list[list[Any]] = [
        *([who, "get", address, True, HOST] for who in ("root", "stranger") for address in (*PAGES, *ERRORS)),
        ["stranger", "get", "/login/", True, HOST],
        ["stranger", "get", "/static/app.css", True, HOST],
        ["stranger", "get", "/jobs/4711/status", True, HOST],
        ["root", "post", "/jobs/", True, HOST],
        ["root", "get", "/jobs/1/export.csv", True, HOST],
        ["stranger", "post", "/login/?next=/jobs/", True, HOST],
        ["stranger", "get", "/", False, HOST],
        ["stranger", "get", "/", True, "evil.example.com"],
    ]
    answers = asked(production(bare_environment), "with a database", requests)
    *usual, signed_in, plain, foreign = answers
    assert {a["asked"]: missing_from(a) for a in [*usual, signed_in] if missing_from(a)} == {}
    assert {answer["status"] for answer in usual} == {200, 302, 401, 404, 405}
    cookies = {name: flags for answer in answers for name, flags in answer["cookies"].items()}
    named = {re.sub("-[0-9a-f]{8}$", "", name): flags for name, flags in cookies.items()}
    assert named == {
        "__Host-tagmanager-csrf": [True, True, "Lax"],
        "__Host-tagmanager-session": [True, True, "Lax"],
    }
    assert signed_in["headers"]["Location"] == "/jobs/"

    # Plain http answers only with the redirect to https; no promise about https can be made there.
    assert (plain["status"], plain["headers"]["Location"]) == (301, f"https://{HOST}/")
    assert missing_from(plain) == {"transport"}
    # A host that is not ours gets a page that says nothing, still without scripts of others.
    assert (foreign["status"], missing_from(foreign) & {"policy", "frames"}) == (400, set())
    assert "That request could not be read" in foreign["body"]


@pytest.mark.journey
def test_with_the_database_away_the_page_of_a_fault_still_comes_in_our_clothes(
    bare_environment: dict[str, str],
) -> None:
    away = production(bare_environment, DATABASE_URL="postgres://tags:secret-word@127.0.0.1:9/tags")
    requests = [
        ["root", "get", address, True, HOST] for address in ("/", "/jobs/1/", "/nonsense", "/healthz")
    ]
    *pages, health = asked(away, "without a database", requests)
    for answer in pages:
        assert (answer["status"], missing_from(answer)) == (503, set())
        assert answer["headers"]["Retry-After"] == "5"
        assert "The database does not answer" in answer["body"]
        assert 'href="/static/app.' in answer["body"]
        assert "secret-word" not in answer["body"]
        assert "127.0.0.1" not in answer["body"]
    assert (health["status"], json.loads(health["body"])) == (503, {"database": "away", "worker": False})


def test_probes_get_an_answer_by_whatever_address_they_come_and_nothing_else_does(
    bare_environment: dict[str, str],
) -> None:
    token = "a-token-for-the-metrics-of-this-test"
    hosts = (HOST, "10.42.0.17:8000", "[fd00::17]:8000", "web", "evil.example.com", "not a host")
    requests = [
        ["stranger", "get", address, False, host]
        for address in ("/healthz", "/metrics", "/healthz/", "/login/")
        for host in hosts
    ]
    environment = production(bare_environment, METRICS_TOKEN=token, USE_HTTPS="true")
    answers = asked(environment, "with a database", requests)
    told = [answer["status"] for answer in answers]
    health, metrics, slash, page = (told[start : start + 6] for start in range(0, 24, 6))
    assert health == [200] * 6
    assert metrics == [401] * 6
    # A redirect to https would name the host, so here it counts.
    assert slash == page == [301] + [400] * 5


def test_every_script_of_a_page_and_every_module_it_imports_comes_by_a_hashed_name(
    bare_environment: dict[str, str],
) -> None:
    page = ["root", "get", "/tools/bulk-tag/", True, HOST]
    shown, *scripts = asked(production(bare_environment), "with a database", [page], MODULE)
    assert shown["status"] == 200
    assert {
        (answer["status"], answer["headers"]["Content-Type"], answer["headers"].get("Cache-Control"))
        for answer in scripts
    } == {(200, 'text/javascript; charset="utf-8"', "max-age=315360000, public, immutable")}
    names = [
        re.sub(r"^root get /static/(.+)\.[0-9a-f]{12}\.js$", r"\1.js", answer["asked"]) for answer in scripts
    ]
    modules = [path.relative_to(ROOT / "static").as_posix() for path in (ROOT / "static/js").rglob("*.js")]
    assert sorted(names) == sorted([*modules, "theme.js", "vendor/htmx.min.js"])


@pytest.mark.parametrize("more", [{}, {"DATABASE_URL": "postgres://tags:pw@db.example.com/tags"}])
def test_djangos_check_for_deployment_has_nothing_to_say(
    bare_environment: dict[str, str], more: dict[str, str], tmp_path: Path
) -> None:
    dot_env = tmp_path / "production.env"
    lines = production({}, CSRF_TRUSTED_ORIGINS=f"https://{HOST}", TRUST_PROXY="true", **more)
    dot_env.write_text("".join(f"{name}={value}\n" for name, value in lines.items()), encoding="utf-8")
    dot_env.chmod(0o600)
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env={**bare_environment, "TAGMANAGER_ENV_FILE": str(dot_env)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "System check identified no issues (2 silenced).\n"
