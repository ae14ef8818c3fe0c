"""Supervisors and bare clusters as real processes, on the test's database and Zendesk."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.models import Job
from tests.demo import Demo
from tests.processes import await_line, await_that, descendants, exists

Manage = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(process_demo: Demo, manage: Manage, tmp_path: Path) -> Iterator[Manage]:
    """Starts a `run_worker` and waits until it is up; no process of any may outlive the test."""
    started = []

    def one(**environment: str) -> subprocess.Popen[str]:
        supervisor = manage("run_worker", **{"VAR_DIR": str(tmp_path)} | environment)
        started.append(supervisor)
        await_line(supervisor.stderr, "The worker is up")
        return supervisor

    yield one
    left = {pid for supervisor in started for pid in descendants(supervisor.pid)}
    for supervisor in started:
        supervisor.kill()
    await_that(lambda: not any(map(exists, left)), "the end of the clusters of killed supervisors")


@pytest.fixture
def worker(start: Manage) -> subprocess.Popen[str]:
    """A worker that is up."""
    return start()


def is_half_done(job: Job) -> bool:
    """A worker has it in hand, has got something done, and has more to do."""
    job.refresh_from_db()
    return bool(job.lease_owner) and 0 < job.changed < (job.total or 0)
