"""However a worker is stopped, it puts its job down in good order, and the next one continues."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.demo import Demo, counts, run, submit
from tests.processes import DEADLINE, await_that, descendants, exists, has_pending
from tests.workers.conftest import Manage, is_half_done

pytestmark = [pytest.mark.slow, pytest.mark.once]
Tell = Callable[[subprocess.Popen[str]], None]


def alone(by: signal.Signals) -> Tell:
    return lambda process: process.send_signal(by)


def twice(process: subprocess.Popen[str]) -> None:
    process.terminate()
    # Two that come at once are one to the kernel.
    await_that(lambda: not has_pending(process.pid, signal.SIGTERM), "the first SIGTERM's being taken")
    process.terminate()


def all_at_once(by: signal.Signals) -> Tell:
    """As a service manager tells all processes of a service, whatever group they are in."""

    def tell(process: subprocess.Popen[str]) -> None:
        for pid in [process.pid, *sorted(descendants(process.pid))]:
            os.kill(pid, by)

    return tell


@pytest.mark.parametrize(
    ("name", "tell"),
    [
        pytest.param(
            "run_worker", alone(signal.SIGTERM), id="run_worker, SIGTERM", marks=pytest.mark.journey
        ),
        pytest.param("run_worker", all_at_once(signal.SIGTERM), id="run_worker, SIGTERM to all"),
        pytest.param("run_worker", all_at_once(signal.SIGINT), id="run_worker, SIGINT to all"),
        # Its cluster is one of these, so each way of the one is half a way of the other.
        pytest.param("qcluster", twice, id="qcluster, SIGTERM twice"),
        pytest.param("qcluster", alone(signal.SIGHUP), id="qcluster, SIGHUP"),
        pytest.param("qcluster", all_at_once(signal.SIGTERM), id="qcluster, SIGTERM to all"),
    ],
)
def test_a_job_is_put_down_in_good_order_and_goes_on(
    process_demo: Demo, manage: Manage, tmp_path: Path, name: str, tell: Tell
) -> None:
    refs = process_demo.open_tickets[:1000]
    process_demo.account.hold(after=2)  # no other batch ends before the stop does
    job = submit(refs=refs, here=False, add=["brand-new"]).job
    process = manage(name, VAR_DIR=str(tmp_path), ZENDESK_MAX_JOBS="2")  # most batches are yet to come
    await_that(partial(is_half_done, job), "the first batches")
    everybody = descendants(process.pid)
    tell(process)
    assert process.wait(DEADLINE) == 0
    assert (len(everybody) > 1, list(filter(exists, everybody))) == (True, [])
    job.refresh_from_db()
    assert (job.is_active, job.lease_token, job.crash_count) == (True, "", 0)
    assert not job.transitions.filter(why__contains="was lost").exists()
    assert not list(tmp_path.glob("stop-*"))
    process_demo.account.release()
    run(job)
    assert counts(job) == {"changed": len(refs)}
    assert dict(process_demo.account.ledger.updates) == dict.fromkeys(refs, 1)
