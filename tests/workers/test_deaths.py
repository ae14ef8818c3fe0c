"""Any process of a cluster may die: the log says so, the cluster is replaced, and the job continues."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from functools import partial

import pytest
from django.test import Client

from jobs.models import Job
from tests.demo import Demo, counts, has_ended, holder_of, submit
from tests.processes import await_that, descendants, exists
from tests.workers.conftest import Manage, is_half_done

pytestmark = [pytest.mark.slow, pytest.mark.once]

#: How a cluster of two workers comes up, one process after the other.
FIRST, SENTINEL, ONE, OTHER, MONITOR, PUSHER = range(6)


def role(number: int) -> Callable[[list[int], Job], int]:
    return lambda cluster, _job: cluster[number]


def busy(cluster: list[int], job: Job) -> int:
    return holder_of(job)


def idle(cluster: list[int], job: Job) -> int:
    return next(pid for pid in (cluster[ONE], cluster[OTHER]) if pid != holder_of(job))


@pytest.mark.parametrize(
    "victim",
    [
        pytest.param(busy, id="busy worker", marks=pytest.mark.journey),
        pytest.param(idle, id="idle worker"),
        pytest.param(role(MONITOR), id="monitor"),
        pytest.param(role(PUSHER), id="pusher"),
        pytest.param(role(SENTINEL), id="sentinel"),
        pytest.param(role(FIRST), id="first process"),
    ],
)
def test_a_death_is_reported_and_the_cluster_replaced_while_the_job_goes_on(
    process_demo: Demo, worker: subprocess.Popen[str], client: Client, victim: Callable[[list[int], Job], int]
) -> None:
    refs = process_demo.open_tickets[:1500]
    process_demo.account.hold(after=2)
    job = submit(refs=refs, here=False, add=["brand-new"]).job
    await_that(partial(is_half_done, job), "the first batches")
    cluster = sorted(descendants(worker.pid))
    assert len(cluster) == 6
    os.kill(victim(cluster, job), signal.SIGKILL)
    await_that(lambda: client.get("/healthz?worker=1").status_code == 503, "word of the death")
    await_that(lambda: not any(map(exists, cluster)), "the end of all of the old cluster")
    process_demo.account.release()
    await_that(partial(has_ended, job), "the end of the job")
    assert counts(job) == {"changed": len(refs)}
    assert dict(process_demo.account.ledger.updates) == dict.fromkeys(refs, 1)
    assert client.get("/healthz?worker=1").status_code == 200


def test_the_only_worker_dies_while_it_is_idle_and_the_next_job_is_done_all_the_same(
    process_demo: Demo, start: Manage, client: Client
) -> None:
    cluster = sorted(descendants(start(Q_WORKERS="1").pid))
    os.kill(cluster[ONE], signal.SIGKILL)
    job = submit(refs=process_demo.open_tickets[:100], here=False, add=["brand-new"]).job
    await_that(lambda: client.get("/healthz?worker=1").status_code == 503, "word of the death")
    await_that(lambda: not any(map(exists, cluster)), "the end of all of the old cluster")
    await_that(partial(has_ended, job), "the end of the job")
    assert counts(job) == {"changed": 100}


def test_a_job_that_kills_its_worker_again_and_again_ends_errored_by_itself(
    process_demo: Demo, worker: subprocess.Popen[str]
) -> None:
    process_demo.account.hold()  # no batch ever settles
    job = submit(refs=process_demo.open_tickets[:100], here=False, add=["brand-new"]).job
    killed = [0]
    for _ in range(3):
        await_that(lambda: holder_of(job) not in killed, "another worker on the job")
        killed.append(holder_of(job))
        os.kill(killed[-1], signal.SIGKILL)
    await_that(lambda: holder_of(job) == 0 and job.status == "errored", "the end of it")
    assert job.error.startswith("Stopped: 3 workers died on this job one after the other")
