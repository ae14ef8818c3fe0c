"""`run_worker`: a real cluster under its supervisor."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
import time_machine
from django.utils import timezone

from jobs.models import Beat, Job
from jobs.workers import heartbeats
from tests import clocks
from tests.demo import Demo, counts, has_ended, submit
from tests.processes import DEADLINE, await_that, command, descendants, end_of, exists
from tests.workers.conftest import Manage

pytestmark = [pytest.mark.slow, pytest.mark.once]


@pytest.mark.journey
def test_a_detached_job_is_finished_by_the_worker(
    process_demo: Demo, manage: Manage, worker: subprocess.Popen[str]
) -> None:
    refs = process_demo.open_tickets[:300]
    ids = ",".join(map(str, refs))
    ran = end_of(manage("tag_tickets", "--ids", ids, "--add", "brand-new", "--yes", "--detach"))
    assert (ran.code, ran.err) == (0, "")
    job = Job.objects.get()
    watched = command("jobs", "watch", str(job.pk))
    job.refresh_from_db()
    assert (watched.code, counts(job)) == (0, {"changed": 300})
    assert f"Job {job.pk} succeeded" in watched.out


def test_a_stop_in_the_middle_of_a_job_is_gentle_and_the_next_worker_goes_on(
    process_demo: Demo, manage: Manage, worker: subprocess.Popen[str], tmp_path: Path
) -> None:
    process_demo.account.hold()  # no batch ends before the stop does
    job = submit(refs=process_demo.open_tickets[:1500], here=False, add=["brand-new"]).job
    await_that(lambda: job.batches.filter(state="sent").exists(), "the first batches")
    cluster = descendants(worker.pid)
    worker.terminate()
    assert worker.wait(DEADLINE) == 0
    job.refresh_from_db()
    assert (len(cluster) > 1, list(filter(exists, cluster))) == (True, [])
    # Put down in good order, not torn away: nobody was lost.
    assert (job.is_active, job.lease_token, job.crash_count) == (True, "", 0)
    assert not job.transitions.filter(why__contains="was lost").exists()
    assert not list(tmp_path.glob("stop-*"))
    process_demo.account.release()
    successor = manage("run_worker", VAR_DIR=str(tmp_path))
    await_that(partial(has_ended, job), "the end of the job")
    assert counts(job) == {"changed": 1500}
    assert set(process_demo.account.ledger.updates.values()) == {1}
    successor.send_signal(signal.SIGINT)
    assert successor.wait(DEADLINE) == 0


@pytest.mark.journey
def test_a_supervisor_that_is_killed_takes_its_cluster_with_it(worker: subprocess.Popen[str]) -> None:
    cluster = descendants(worker.pid)
    assert len(cluster) > 3
    worker.kill()
    worker.wait()
    await_that(lambda: not any(map(exists, cluster)), "the end of the cluster")


def test_a_bare_cluster_leaves_no_orphans_when_its_first_process_is_killed(
    process_demo: Demo, manage: Manage, tmp_path: Path
) -> None:
    bare = manage("qcluster", VAR_DIR=str(tmp_path))
    await_that(heartbeats.is_worker_alive, "the cluster")
    others = descendants(bare.pid)
    assert len(others) > 3
    bare.kill()
    bare.wait()
    await_that(lambda: not any(map(exists, others)), "the end of the others")


def test_the_entry_point_is_found_from_anywhere(
    process_demo: Demo, process_environment: dict[str, str], tmp_path: Path
) -> None:
    entry = str(Path("manage.py").resolve())
    with (tmp_path / "log").open("wb") as log:
        supervisor = subprocess.Popen(
            [sys.executable, entry, "run_worker"], env=process_environment, cwd=tmp_path, stderr=log
        )
    await_that(heartbeats.is_worker_alive, "the worker")
    supervisor.terminate()
    assert supervisor.wait(DEADLINE) == 0


def test_a_probe_on_the_command_line_tells_whether_a_worker_lives_here(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = command("run_worker", "--check")
    assert (ran.code, ran.err) == (
        1,
        "No worker is alive on this host. Start one with manage.py run_worker.\n",
    )
    heartbeats.beat()
    ran = command("run_worker", "--check")
    assert (ran.code, ran.out) == (0, "A worker is alive on this host.\n")
    with monkeypatch.context() as patch, time_machine.travel(timezone.now() + timedelta(seconds=70)):
        clocks.compared(patch, clocks.by_host(-70.0))
        told = command("run_worker", "--check")
    assert told.code == 0
    assert "The clock of this host is 1 min 10 s ahead of the database's." in told.out
    Beat.objects.update(owner="elsewhere/boot/1/2")  # alive as far as one can tell, but not here
    assert (heartbeats.is_worker_alive(), command("run_worker", "--check").code) == (True, 1)
