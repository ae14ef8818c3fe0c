"""Fixtures for every test: databases, processes, people, and demo Zendesks."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, settings
from pytest_django import Settings

from jobs.reports import recount
from tagmanager.account import asking
from tagmanager.cli import account
from tagmanager.inventory import tag_counts
from tests import clocks, factories
from tests.demo import Demo, point_to
from tests.demo import demo_zendesk as running_demo
from zendesk import sandbox

# A million rounds for each person that a test makes would be half of the run. A server of its own process,
# with Django's number, reads such a hash all the same.
PBKDF2PasswordHasher.iterations = 1

# Every test client makes the middleware anew, and this one would look through all static files each time.
django_settings.WHITENOISE_AUTOREFRESH = True

# Pages and commands wait a few seconds for a Zendesk that is away; a test that has one away need not.
asking.MAX_WAIT = account.MAX_WAIT = 0.0

# A count waits for the last minute of Zendesk's export; a test of that sets the time, and moves the clock.
tag_counts.EXPORT_OMITS = timedelta(0)

clocks.tie_to_process()

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
    """The environment for a process of the project (a worker, a command) that works on the test database.

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


@pytest.fixture
def demo(db: None, settings: Any) -> Iterator[Demo]:
    """A small demo Zendesk whose bulk jobs are done at once; no count of any job may drift."""
    with running_demo(settings) as running:
        yield running
        assert list(recount.drifts()) == []


@pytest.fixture
def process_demo(transactional_db: None, settings: Any) -> Iterator[Demo]:
    """One that other processes work on. A test that needs a job half done holds its bulk jobs (`hold`)."""
    with running_demo(settings, tickets=2500) as running:
        yield running
        assert list(recount.drifts()) == []


@pytest.fixture
def manage(process_environment: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a command as a process, on the test's database and Zendesk; it ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            env=process_environment
            | {
                "ZENDESK_BASE_URL": django_settings.ZENDESK_BASE_URL,
                "ZENDESK_OAUTH_CLIENT_ID": django_settings.ZENDESK_OAUTH_CLIENT_ID,
                "ZENDESK_OAUTH_CLIENT_SECRET": django_settings.ZENDESK_OAUTH_CLIENT_SECRET,
            }
            | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()


@pytest.fixture
def job_counts(db: None) -> Iterator[None]:
    """No count of any job may drift."""
    yield
    assert list(recount.drifts()) == []


@pytest.fixture
def ana(db: None) -> User:
    """May see and run jobs."""
    return factories.runner("ana")


@pytest.fixture
def web(client: Client, ana: User) -> Client:
    """A browser in which Ana is signed in."""
    client.force_login(ana)
    return client


@pytest.fixture(name="demo_zendesk")
def demo_account(settings: Settings) -> Iterator[sandbox.Sandbox]:
    """A demo Zendesk of 300 tickets that answers at once, and settings that name it."""
    account = sandbox.Sandbox(sandbox.Options(tickets=300, scale=0))
    with sandbox.serve(account) as server:
        point_to(server.url, settings)
        yield account
    cache.clear()


@pytest.fixture
def outside(tmp_path: Path) -> dict[str, str]:
    """The environment in which the manual's examples are installed."""
    manual = (django_settings.BASE_DIR / "docs" / "how-to" / "add-a-tool.md").read_text(encoding="utf-8")
    files = dict(re.findall(r"`(\w+\.py)`:\n\n```python\n(.*?)^```", manual, re.DOTALL | re.MULTILINE))
    assert list(files) == ["prefixes.py", "priorities.py", "test_prefixes.py", "test_priorities.py"]
    assert len(files) == manual.count("```python")
    for name, example in files.items():
        assert len(example.splitlines()) < 75
        (tmp_path / name).write_text(example, encoding="utf-8")
    tools = re.search(r"^TOOLS=(\S+)", manual, re.MULTILINE)
    assert tools
    return {"PYTHONPATH": str(tmp_path), "TOOLS": tools[1]}
