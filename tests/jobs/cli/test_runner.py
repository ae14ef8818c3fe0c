"""Ctrl-C and its relatives, sent for real to commands that run a job."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from functools import partial

import pytest
from django_q.models import OrmQ

from jobs import actions, tasks
from jobs.models import Job
from jobs.runtime import shutdown
from jobs.states import BatchState, Status
from jobs.workers import reaper
from tests.demo import ANA, Demo, counts, run, submit
from tests.processes import DEADLINE, await_line, await_that, end_of
from zendesk import sandbox as zd

pytestmark = pytest.mark.once

Manage = Callable[..., subprocess.Popen[str]]


def is_under_way() -> bool:
    """Batches of the job are in flight, and there are more to come."""
    return Job.objects.filter(status="running", changed__gt=0).exists()


def start(demo: Demo, manage: Manage) -> subprocess.Popen[str]:
    """Start a command and hold the demo Zendesk while the job is half done, until `release`."""
    demo.account.hold(after=2)
    view = str(zd.VIEW_UNSOLVED)
    arguments = ("tag_tickets", "--view", view, "--add", "brand-new", "--yes", "--output", "json")
    process = manage(*arguments, ZENDESK_MAX_JOBS="2")
    await_that(is_under_way, "the first batches")
    return process


def is_in(status: Status) -> bool:
    return Job.objects.get().status == status


@pytest.mark.slow
@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGINT, marks=pytest.mark.journey), signal.SIGTERM, signal.SIGHUP]
)
def test_ctrl_c_cancels_settles_what_is_in_flight_and_prints_the_summary(
    process_demo: Demo, manage: Manage, number: signal.Signals
) -> None:
    process = start(process_demo, manage)
    process.send_signal(number)
    await_that(partial(is_in, Status.CANCELLING), "the cancelling")
    process_demo.account.release()
    ran = end_of(process)
    sent = process_demo.calls("PUT /api/v2/tickets/update_many")
    job = Job.objects.get()
    status = json.loads(ran.out)
    assert (ran.code, job.status, status["status"]) == (130, "cancelled", "cancelled")
    assert job.changed + job.skipped + job.unchanged + job.remaining == job.total
    assert 0 < job.changed == sum(process_demo.account.ledger.updates.values())
    assert job.remaining > 0
    assert not job.batches.filter(state__in=[BatchState.SENDING, BatchState.SENT]).exists()
    assert "not attempted" in ran.err
    assert f"manage.py jobs rest {job.pk}" in ran.err
    # Nobody goes on with it: no lease, and no wake-up that would do anything.
    reaper.reap()
    tasks.work_on(job.pk)
    assert process_demo.calls("PUT /api/v2/tickets/update_many") == sent


@pytest.mark.journey
@pytest.mark.slow
def test_a_third_ctrl_c_leaves_the_rest_to_a_worker(process_demo: Demo, manage: Manage) -> None:
    process_demo.account.hold()  # what is in flight does not end
    view = str(zd.VIEW_UNSOLVED)
    process = manage("tag_tickets", "--view", view, "--add", "brand-new", "--yes")
    await_that(lambda: Job.objects.filter(batches__state=BatchState.SENT).exists(), "the first batches")
    for answer in ("Cancelling:", "Still settling", "Leaving:"):
        process.send_signal(signal.SIGINT)
        await_line(process.stdout, answer)
    ran = end_of(process)
    job = Job.objects.get()
    assert (ran.code, job.status, job.lease_token) == (130, "cancelling", "")
    assert OrmQ.objects.count() > 0  # a wake-up for the worker


@pytest.mark.journey
@pytest.mark.slow
def test_a_job_that_someone_else_cancels_ends_the_command_with_its_own_code(
    process_demo: Demo, manage: Manage
) -> None:
    process = start(process_demo, manage)
    actions.cancel(job=Job.objects.get(), by=ANA)
    process_demo.account.release()
    ran = end_of(process)
    assert (ran.code, json.loads(ran.out)["status"]) == (4, "cancelled")


@pytest.mark.journey
@pytest.mark.slow
def test_a_paused_job_is_waited_for(process_demo: Demo, manage: Manage) -> None:
    process = start(process_demo, manage)
    job = Job.objects.get()
    actions.pause(job=job, by=ANA)
    process_demo.account.release()
    await_that(partial(is_in, Status.PAUSED), "the pause")
    assert process.poll() is None
    actions.resume(job=Job.objects.get(), by=ANA)
    ran = end_of(process)
    assert (ran.code, json.loads(ran.out)["remaining"]) == (0, 0)
    assert f"manage.py jobs resume {job.pk} lets it go on" in ran.err


@pytest.mark.journey
@pytest.mark.slow
def test_ctrl_c_ends_a_job_that_waits_for_its_time(process_demo: Demo, manage: Manage) -> None:
    process_demo.fault("rate_limited", times=1000, retry_after=300)
    refs = ",".join(map(str, process_demo.open_tickets[:3]))
    process = manage("tag_tickets", "--ids", refs, "--add", "brand-new", "--yes")
    await_that(lambda: Job.objects.filter(status=Status.WAITING).exists(), "the wait")
    process.send_signal(signal.SIGINT)
    ran = end_of(process)
    job = Job.objects.get()
    assert (ran.code, job.status, counts(job)) == (130, "cancelled", {"remaining": 3})
    assert "the other side asked us to slow down" in ran.out


@pytest.mark.slow
def test_a_reader_that_leaves_does_not_stop_the_job(process_demo: Demo, manage: Manage) -> None:
    refs = ",".join(map(str, process_demo.open_tickets[:1500]))
    process = manage("tag_tickets", "--ids", refs, "--add", "brand-new", "--yes")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    said = process.stderr.read()
    assert (process.wait(DEADLINE), said, counts(Job.objects.get())) == (0, "", {"changed": 1500})


def test_a_worker_that_is_asked_to_stop_releases_its_job_for_the_next(
    demo: Demo, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_file = tmp_path_factory.mktemp("stop") / "stop"
    monkeypatch.setenv(shutdown.STOP_FILE, str(stop_file))
    made = submit(refs=demo.open_tickets[:300], add=["brand-new"])
    run(made, tick=stop_file.touch)
    job = Job.objects.get()
    assert (job.is_active, job.lease_token, job.remaining > 0) == (True, "", True)
    tasks.work_on(job.pk)
    assert demo.calls("PUT /api/v2/tickets/update_many") == job.batches.exclude(sent_at=None).count()
    stop_file.unlink()
    assert counts(run(job)) == {"changed": 300}


def test_a_time_slice_that_is_over_does_not_wait_for_the_other_side(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo.fault("rate_limited", on="GET /api/v2/tickets/show_many", times=1, retry_after=8)
    made = submit(refs=demo.open_tickets[:3], add=["brand-new"])
    run(made, seconds=0)
    job = Job.objects.get()
    assert (job.waiting_for, job.lease_token) == ("rate_limit", "")
    assert job.resumes_at is not None
