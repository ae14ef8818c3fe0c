"""`check --deploy` finds each file that others may read, and names the command that closes it."""

import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.checks import CheckMessage, registry
from pytest_django import Settings

from tagmanager.ops import file_checks

SHOW_MODES = """
import os, stat, sys
os.umask(int(sys.argv[1], 8))
os.environ["DJANGO_SETTINGS_MODULE"] = "tagmanager.settings"
import django
django.setup()
from django.conf import settings
from django.db import connection
connection.cursor().execute("CREATE TABLE t (x)")
for path in [settings.VAR_DIR, *sorted(settings.VAR_DIR.iterdir())]:
    print(path.name, oct(stat.S_IMODE(path.stat().st_mode)))
"""

pytestmark = pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")

NAMES = [".env", "var", "tagmanager.sqlite3", "tagmanager.sqlite3-wal", "commands.log", "uploads"]


@pytest.fixture
def found(tmp_path: Path, settings: Settings) -> Callable[[], list[CheckMessage]]:
    """What the check says of an installation of one folder."""
    folder = tmp_path / "our var"
    folder.mkdir(mode=0o700)
    settings.ENV_FILE, settings.VAR_DIR = tmp_path / ".env", folder
    settings.STATIC_ROOT = folder / "static"
    settings.STATIC_ROOT.mkdir(mode=0o755)
    settings.DATABASES = {
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "tagmanager.sqlite3")}
    }
    for path in (settings.ENV_FILE, *(folder / name for name in (*NAMES[2:], "stop-1"))):
        path.touch(mode=0o600)

    def messages() -> list[CheckMessage]:
        return list(file_checks.check_private_files())

    return messages


def test_a_private_installation_passes_a_check_for_deployment(
    found: Callable[[], list[CheckMessage]],
) -> None:
    assert found() == []
    assert file_checks.check_private_files in registry.registry.deployment_checks


@pytest.mark.parametrize("name", NAMES)
def test_what_others_can_read_is_named_with_the_command_that_closes_it(
    name: str, found: Callable[[], list[CheckMessage]], settings: Settings
) -> None:
    path = {".env": settings.ENV_FILE, "var": settings.VAR_DIR}.get(name, settings.VAR_DIR / name)
    closed = path.stat().st_mode
    path.chmod(0o750)
    assert found() == []
    path.chmod(0o754)
    [said] = found()
    assert str(path) in said.msg
    assert said.hint == f"Run: chmod o= {shlex.quote(str(path))}"
    subprocess.run(str(said.hint).removeprefix("Run: "), shell=True, check=True)
    assert (found(), path.stat().st_mode & 0o777, closed & 0o777 in (0o600, 0o700)) == ([], 0o750, True)


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize("umask", ["000", "077"])
def test_database_and_journal_are_made_private(bare_environment: dict[str, str], umask: str) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", SHOW_MODES, umask],
        env={**bare_environment, "SECRET_KEY": "x" * 60},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    private = [line for line in shown if not line.startswith("static ")]
    assert private == [
        "var 0o700",
        "tagmanager.sqlite3 0o600",
        "tagmanager.sqlite3-shm 0o600",
        "tagmanager.sqlite3-wal 0o600",
    ]
