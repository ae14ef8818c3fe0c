"""Real worker processes, killed for real."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from jobs import audit
from jobs.models import Job
from tests.demo import Demo, demo_zendesk, outcomes, submit

DEADLINE = 60.0  # far beyond what it takes; only a hang reaches it


def await_that(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"waited {DEADLINE:.0f} s in vain: {what}"
        time.sleep(0.02)


@pytest.fixture
def slow_demo(transactional_db: None, settings: Any) -> Iterator[Demo]:
    with demo_zendesk(settings, tickets=2500, scale=0.05) as demo:
        yield demo
        assert list(audit.drifts()) == []


@pytest.fixture
def start_cluster(
    slow_demo: Demo, process_environment: dict[str, str], tmp_path: Path
) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts bare clusters on the test's database and Zendesk; what is left of them ends with the test."""
    environment = process_environment | {
        "ZENDESK_BASE_URL": slow_demo.url,
        "ZENDESK_OAUTH_CLIENT_ID": django_settings.ZENDESK_OAUTH_CLIENT_ID,
        "ZENDESK_OAUTH_CLIENT_SECRET": django_settings.ZENDESK_OAUTH_CLIENT_SECRET,
    }
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "manage.py", "qcluster"]
        with (tmp_path / f"cluster-{len(started)}.log").open("wb") as log:
            cluster = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        started.append(cluster)
        return cluster

    yield start
    for cluster in started:
        os.killpg(cluster.pid, signal.SIGKILL)
        cluster.wait()


def holder_of(job: Job) -> int:
    """The process id of the worker that has the job; 0 when nobody has."""
    job.refresh_from_db()
    return int(job.lease_owner.split("/")[2]) if job.lease_owner else 0


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_is_replaced_and_nothing_is_done_twice(
    slow_demo: Demo, start_cluster: Callable[[], subprocess.Popen[bytes]]
) -> None:
    refs = slow_demo.open_tickets[:2000]
    job = submit(refs=refs, here=False, add=["brand-new"]).job
    start_cluster()
    killed: set[int] = set()
    for settled in (200, 800, 1400):

        def is_far_enough(settled: int = settled) -> bool:
            return holder_of(job) not in killed | {0} and job.changed >= settled

        await_that(is_far_enough, f"{settled} tickets done")
        victim = holder_of(job)
        if victim:
            os.kill(victim, signal.SIGKILL)
            killed.add(victim)
    await_that(lambda: holder_of(job) == 0 and job.is_ended, "the end of the job")
    assert job.status == "succeeded"
    assert outcomes(job) == dict.fromkeys(refs, "changed")
    assert dict(slow_demo.account.ledger.updates) == dict.fromkeys(refs, 1)
    assert job.transitions.filter(why__contains="was lost").count() == len(killed) > 0


@pytest.mark.slow
def test_a_cluster_killed_as_a_whole_is_followed_by_the_next(
    slow_demo: Demo, start_cluster: Callable[[], subprocess.Popen[bytes]]
) -> None:
    refs = slow_demo.open_tickets[:1500]
    job = submit(refs=refs, here=False, add=["brand-new"]).job
    first = start_cluster()
    await_that(lambda: holder_of(job) != 0 and job.changed >= 200, "200 tickets done")
    os.killpg(first.pid, signal.SIGKILL)
    start_cluster()
    await_that(lambda: holder_of(job) == 0 and job.is_ended, "the end of the job")
    assert outcomes(job) == dict.fromkeys(refs, "changed")
    assert dict(slow_demo.account.ledger.updates) == dict.fromkeys(refs, 1)
