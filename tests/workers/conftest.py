"""Supervisors and bare clusters as real processes, on the test's database and Zendesk."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.models import Job
from tests.demo import Demo
from tests.processes import await_that, descendants, exists

Manage = Callable[..., subprocess.Popen[str]]


def await_up(supervisor: subprocess.Popen[str]) -> None:
    assert supervisor.stderr is not None
    while "The worker is up" not in (line := supervisor.stderr.readline()):
        assert line, "it ended before it was up"


@pytest.fixture
def start(slow_demo: Demo, manage: Manage, tmp_path: Path) -> Iterator[Manage]:
    """Starts a `run_worker` and waits until it is up; no process of any may outlive the test."""
    started = []

    def one(**environment: str) -> subprocess.Popen[str]:
        supervisor = manage("run_worker", **{"VAR_DIR": str(tmp_path)} | environment)
        started.append(supervisor)
        await_up(supervisor)
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


def far_enough(job: Job, changed: int = 1) -> bool:
    """Somebody has it in hand, has got something done, and has more to do."""
    job.refresh_from_db()
    return bool(job.lease_owner) and changed <= job.changed < (job.total or 0)


def ended(job: Job) -> bool:
    job.refresh_from_db()
    return job.is_ended


def holder_of(job: Job) -> int:
    """The process id of the worker that has the job; 0 when nobody has."""
    job.refresh_from_db()
    return int(job.lease_owner.split("/")[2]) if job.lease_owner else 0
