"""Jobs go on while the side duties of real workers fail, one after the other and all at once."""

from __future__ import annotations

import re
import subprocess
import time
from functools import partial
from pathlib import Path

import psutil
import pytest
from django.test import Client

from jobs.models import Job
from tests.demo import Demo, counts, has_ended, submit
from tests.processes import await_that, descendants, end_of
from tests.workers.conftest import Manage

pytestmark = [pytest.mark.slow, pytest.mark.once]

#: Each duty with what it calls.
CLUSTER = {
    "heartbeat": "jobs.workers.heartbeats:beat",
    "clock_check": "jobs.workers.clock_skew:correct",
    "take_over": "jobs.workers.reaper:take_over_lost",
    "wake_up": "jobs.workers.reaper:wake_forgotten",
    "daily_chores": "jobs.workers.chores:look_after",
}
SUPERVISOR = {
    "cluster_beats": "jobs.workers.cluster:Cluster._read_beats",
    "cluster_processes": "jobs.workers.processes:members",
    "standstill": "jobs.workers.cluster:Cluster._read_standstill",
}
#: So that a test need not sit out the patience of the program.
TIMES = " ".join(
    f"jobs.workers.{limit}"
    for limit in (
        "duties.BLOCKS_AFTER=0.5",
        "duties.HANGS_AFTER=1",
        "faults.REPORT_EVERY=0.5",
        "cluster.SILENT_AFTER=4",
        "cluster.START_TIMEOUT=12",
        "cluster.PULSE_ALONE=1",
    )
)


#: Seconds of silence after which a cluster is replaced.
PATIENCE = 18.0


def start(manage: Manage, folder: Path, faults: dict[str, str], kind: str) -> subprocess.Popen[str]:
    return manage(
        "run_worker",
        VAR_DIR=str(folder),
        DJANGO_SETTINGS_MODULE="tests.workers.faulty.settings",
        FAULTS=" ".join(f"{place}={kind}" for place in faults.values()),
        FAULT_TIMES=TIMES,
    )


def is_done(refs: list[int], tag: str) -> Job:
    job = submit(refs=refs, here=False, add=[tag]).job
    await_that(partial(has_ended, job), "the end of the job")
    return job


@pytest.mark.parametrize("kind", [pytest.param("raises", marks=pytest.mark.journey), "hangs"])
def test_jobs_end_while_all_duties_of_a_worker_fail_for_ever(
    process_demo: Demo, manage: Manage, client: Client, tmp_path: Path, kind: str
) -> None:
    broken = CLUSTER | SUPERVISOR
    worker = start(manage, tmp_path, broken, kind)
    refs = process_demo.open_tickets
    assert counts(is_done(refs[:300], "one")) == {"changed": 300}
    cluster = descendants(worker.pid)
    await_that(lambda: set(client.get("/healthz").json()["degraded"]) == set(broken), "all of the faults")
    # Past the time after which a silent cluster is replaced, another job is done by the same processes.
    await_that(partial(has_lived, worker.pid, PATIENCE), "the patience of its supervisor")
    assert counts(is_done(refs[300:600], "two")) == {"changed": 300}
    assert descendants(worker.pid) == cluster
    answer = client.get("/healthz?worker=1")
    assert (answer.status_code, answer.json()["worker_state"]) == (200, "alive")
    probe = end_of(manage("run_worker", "--check", VAR_DIR=str(tmp_path)))
    cause = "Fault" if kind == "raises" else "hangs"
    assert (probe.code, len(re.findall(rf"\w+ fails \({cause}\) since", probe.out))) == (0, len(broken))
    worker.terminate()
    code, said = worker.wait(60), worker.stderr.read() if worker.stderr else ""
    assert code == 0
    words = "failed; the jobs go on" if kind == "raises" else "hangs; the jobs and the other duties go on"
    # Once each, however often it was tried.
    assert sorted(re.findall(rf"(\w+) {words}", said)) == sorted(broken)


def has_lived(pid: int, seconds: float) -> bool:
    return time.time() - psutil.Process(pid).create_time() > seconds


@pytest.mark.parametrize("name", CLUSTER)
def test_one_faulty_duty_leaves_the_others_at_work(
    process_demo: Demo, manage: Manage, client: Client, tmp_path: Path, name: str
) -> None:
    worker = start(manage, tmp_path, {name: CLUSTER[name]}, "hangs")
    await_that(lambda: client.get("/healthz").json()["degraded"] == {name: 1}, "word of the fault")
    cluster = descendants(worker.pid)
    await_that(partial(has_lived, worker.pid, PATIENCE), "the patience of its supervisor")
    assert descendants(worker.pid) == cluster
    assert counts(is_done(process_demo.open_tickets[:100], "one")) == {"changed": 100}
    assert client.get("/healthz").json()["worker"] is True
    worker.terminate()
    assert worker.wait(60) == 0
