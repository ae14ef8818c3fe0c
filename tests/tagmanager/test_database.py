"""The database connections are the ones that web and workers can share."""

import os
import subprocess
import sys

import pytest
from django.contrib.auth.models import User
from django.db import connection


@pytest.mark.django_db
def test_the_database_is_the_one_that_the_run_was_asked_for() -> None:
    asked_for = {"postgres": "postgresql"}.get(os.environ.get("TEST_DATABASE", ""), "sqlite")
    assert connection.vendor == asked_for


@pytest.mark.django_db
def test_sqlite_lets_web_and_workers_write_side_by_side() -> None:
    if connection.vendor != "sqlite":
        return
    values = {}
    with connection.cursor() as cursor:
        for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout"):
            values[name] = cursor.execute(f"PRAGMA {name}").fetchone()[0]
    assert values == {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 30_000}
    assert connection.settings_dict["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


@pytest.mark.django_db(transaction=True)
def test_another_process_sees_the_test_database(process_environment: dict[str, str]) -> None:
    User.objects.create_user("ana")
    seen = subprocess.run(
        [
            sys.executable,
            "manage.py",
            "shell",
            "--no-imports",
            "-c",
            "from django.contrib.auth.models import User; print(User.objects.get().username)",
        ],
        env=process_environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert seen.stdout == "ana\n"
