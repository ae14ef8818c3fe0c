"""`run_worker`: a real cluster under its supervisor, stopped, killed and replaced for real."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs import reaper
from jobs.models import Job
from tests.commands.conftest import DEADLINE, await_that, command, descendants, end_of, exists
from tests.demo import Demo, counts, submit

Manage = Callable[..., subprocess.Popen[str]]
pytestmark = pytest.mark.slow


@pytest.fixture
def worker(slow_demo: Demo, manage: Manage, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A worker that is up; no process of it may outlive the test, and it says little."""
    supervisor = manage("run_worker", VAR_DIR=str(tmp_path))
    assert supervisor.stderr is not None
    while "The worker is up" not in (line := supervisor.stderr.readline()):
        assert line, "it ended before it was up"
    yield supervisor
    left = descendants(supervisor.pid)
    supervisor.kill()
    await_that(lambda: not any(map(exists, left)), "the end of the cluster of a killed supervisor")


def cluster_of(supervisor: subprocess.Popen[str]) -> set[int]:
    return descendants(supervisor.pid)


def half_done(job: Job) -> bool:
    job.refresh_from_db()
    return 0 < job.changed < (job.total or 0)


def ended(job: Job) -> bool:
    job.refresh_from_db()
    return job.is_ended


def test_a_detached_job_is_finished_by_the_worker(
    slow_demo: Demo, manage: Manage, worker: subprocess.Popen[str]
) -> None:
    refs = slow_demo.open_tickets[:300]
    ids = ",".join(map(str, refs))
    ran = end_of(manage("tag_tickets", "--ids", ids, "--add", "brand-new", "--yes", "--detach"))
    assert (ran.code, ran.err) == (0, "")
    job = Job.objects.get()
    watched = command("jobs", "watch", str(job.pk))
    job.refresh_from_db()
    assert (watched.code, counts(job)) == (0, {"changed": 300})
    assert f"Job {job.pk} succeeded" in watched.out


def test_a_stop_in_the_middle_of_a_job_is_gentle_and_the_next_worker_goes_on(
    slow_demo: Demo, manage: Manage, worker: subprocess.Popen[str], tmp_path: Path
) -> None:
    slow_demo.account.configure(scale=1.0)  # a batch of a hundred takes ten seconds: longer than the stop
    job = submit(refs=slow_demo.open_tickets[:1500], here=False, add=["brand-new"]).job
    await_that(lambda: job.batches.filter(state="sent").exists(), "the first batches")
    cluster = cluster_of(worker)
    worker.terminate()
    assert worker.wait(DEADLINE) == 0
    job.refresh_from_db()
    assert not any(map(exists, cluster))
    # Put down in good order, not torn away: nobody was lost.
    assert (job.is_active, job.lease_token, job.crash_count) == (True, "", 0)
    assert not job.transitions.filter(why__contains="was lost").exists()
    assert not list(tmp_path.glob("stop-*"))
    slow_demo.account.configure(scale=0.0)
    successor = manage("run_worker", VAR_DIR=str(tmp_path))
    await_that(lambda: ended(job), "the end of the job")
    assert counts(job) == {"changed": 1500}
    assert set(slow_demo.account.ledger.updates.values()) == {1}
    successor.send_signal(signal.SIGINT)
    assert successor.wait(DEADLINE) == 0


def test_a_cluster_that_is_killed_is_replaced_and_its_job_goes_on(
    slow_demo: Demo, worker: subprocess.Popen[str]
) -> None:
    job = submit(refs=slow_demo.open_tickets[:2000], here=False, add=["brand-new"]).job
    await_that(lambda: half_done(job), "the first batches")
    first = cluster_of(worker)
    os.kill(min(first), signal.SIGKILL)  # the one that started the others
    await_that(lambda: not any(map(exists, first)), "the end of all of the old cluster")
    await_that(lambda: ended(job), "the end of the job")
    assert counts(job) == {"changed": 2000}
    assert set(slow_demo.account.ledger.updates.values()) == {1}
    assert cluster_of(worker).isdisjoint(first)


def test_a_cluster_that_lost_one_idle_process_is_replaced_as_a_whole(
    slow_demo: Demo, worker: subprocess.Popen[str]
) -> None:
    first = cluster_of(worker)
    os.kill(max(first), signal.SIGKILL)
    await_that(lambda: not any(map(exists, first)), "the end of all of the old cluster")
    job = submit(refs=slow_demo.open_tickets[:100], here=False, add=["brand-new"]).job
    await_that(lambda: ended(job), "the end of a job on the new one")
    assert counts(job) == {"changed": 100}


def test_a_supervisor_that_is_killed_takes_its_cluster_with_it(worker: subprocess.Popen[str]) -> None:
    cluster = cluster_of(worker)
    assert len(cluster) > 3
    worker.kill()
    worker.wait()
    await_that(lambda: not any(map(exists, cluster)), "the end of the cluster")


def test_a_bare_cluster_leaves_no_orphans_when_its_first_process_is_killed(
    slow_demo: Demo, manage: Manage, tmp_path: Path
) -> None:
    bare = manage("qcluster", VAR_DIR=str(tmp_path))
    await_that(reaper.is_worker_alive, "the cluster")
    others = descendants(bare.pid)
    assert len(others) > 3
    bare.kill()
    bare.wait()
    await_that(lambda: not any(map(exists, others)), "the end of the others")


def test_the_entry_point_is_found_from_anywhere(
    slow_demo: Demo, process_environment: dict[str, str], tmp_path: Path
) -> None:
    entry = str(Path("manage.py").resolve())
    with (tmp_path / "log").open("wb") as log:
        supervisor = subprocess.Popen(
            [sys.executable, entry, "run_worker"], env=process_environment, cwd=tmp_path, stderr=log
        )
    await_that(reaper.is_worker_alive, "the worker")
    supervisor.terminate()
    assert supervisor.wait(DEADLINE) == 0
