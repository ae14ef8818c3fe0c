"""Fixtures for every test."""

import os
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connection
from hypothesis import HealthCheck, settings

# A million rounds for each person that a test makes would be half of the run. A server of its own process,
# with Django's number, reads such a hash all the same.
PBKDF2PasswordHasher.iterations = 1

# Every test client makes the middleware anew, and this one would look through all static files each time.
django_settings.WHITENOISE_AUTOREFRESH = True

# How long an example takes tells of the machine and of what else it does.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """A file for SQLite, not memory: worker processes must see it, and its locks must be the real ones."""
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(django_settings.VAR_DIR / "test.sqlite3")


@pytest.fixture
def process_environment() -> dict[str, str]:
    """The environment for a process of ours (a worker, a command) that works on the test database.

    Give it the `transactional_db` fixture too: another process sees only what was committed.
    """
    return environment_of_processes()


def environment_of_processes() -> dict[str, str]:
    """See `process_environment`; for who starts a process for longer than one test."""
    environment = dict(os.environ)
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        environment["DATABASE_URL"] = f"sqlite:///{name}"
    else:
        sockets = connection.settings_dict["OPTIONS"]["host"]
        environment["DATABASE_URL"] = f"postgres://postgres@/{name}?host={sockets}"
    return environment


@pytest.fixture
def bare_environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a fresh installation: nothing set, no `.env`, an empty folder to write in."""
    return {
        "PATH": os.environ["PATH"],
        "TAGMANAGER_ENV_FILE": str(tmp_path / "none.env"),
        "VAR_DIR": str(tmp_path / "var"),
    }
