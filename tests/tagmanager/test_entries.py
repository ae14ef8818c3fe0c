"""Whatever is started with settings that make no sense ends in sentences, without a trace or a secret."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.journey, pytest.mark.once]

ROOT = Path(__file__).resolve().parents[2]
ODD = """\ufeffSECRET_KEY=kept-by-nobody-else-kept-by-nobody-else-kept-by-nobody
export Q_WORKERS = -1
USE_HTTPS=maybe # or not
DATABASE_URL=postgres://ana:hunter2#x@db.test/tags
a line of hunter2
"""


def run(environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("manage.py", "check"), 1),
        (("manage.py", "run_worker"), 1),
        (("-m", "gunicorn", "tagmanager.wsgi", "--bind", "127.0.0.1:0", "--no-control-socket"), 4),
    ],
    ids=["check", "run_worker", "gunicorn"],
)
def test_settings_that_make_no_sense_end_in_sentences(
    bare_environment: dict[str, str], command: tuple[str, ...], code: int
) -> None:
    file = bare_environment["TAGMANAGER_ENV_FILE"]
    Path(file).write_text(ODD, encoding="utf-8")
    ended = run(bare_environment, *command)
    said = [line for line in ended.stderr.splitlines() if not line.startswith("[")]  # gunicorn's log
    assert ended.returncode == code
    assert said[:4] == [
        f"Line 5 of {file} is not of the form NAME=value.",
        said[1],
        "Q_WORKERS is '-1', and must be a whole number from 1 to 64.",
        "USE_HTTPS is 'maybe', and must be True or False.",
    ]
    assert said[1].startswith("DATABASE_URL cannot be read with certainty.")
    assert "percent-encode" in said[1]
    assert "Traceback" not in ended.stderr
    assert "hunter" not in ended.stdout + ended.stderr


def test_a_database_that_cannot_be_reached_is_a_sentence_of_a_django_command_too(
    bare_environment: dict[str, str],
) -> None:
    environment = {
        **bare_environment,
        "SECRET_KEY": "x" * 60,
        "DATABASE_URL": "postgres://ana:hunter2@127.0.0.1:1/tags",
    }
    ended = run(environment, "manage.py", "migrate")
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("The database cannot be used: connection")
    assert "Traceback" not in ended.stderr
    assert "hunter" not in ended.stderr


@pytest.mark.parametrize("argument", ["--version", "version"])
def test_the_version_is_ours_and_needs_no_settings(bare_environment: dict[str, str], argument: str) -> None:
    ended = run({**bare_environment, "Q_WORKERS": "abc"}, "manage.py", argument)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("Tag Manager 1.0.0 (Django 5.2.")
