"""Who may work on a job, and what becomes of it when he dies."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from jobs import tasks
from jobs.common import process_id
from jobs.engine import execution
from jobs.models import Job
from jobs.runtime import lease
from jobs.runtime.lease import STALE_AFTER, LeaseLost
from jobs.states import Status
from jobs.workers import reaper
from tests.demo import Demo, outcomes, run, submit
from zendesk import Zendesk
from zendesk.transport import attempt


@pytest.fixture
def dead_process() -> str:
    """The name of a process of this host that has ended."""
    code = "from jobs.common import process_id; print(process_id.this_process())"
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_a_process_id_is_exact_enough_to_detect_its_death(dead_process: str) -> None:
    assert not process_id.is_dead(process_id.this_process())
    assert process_id.is_dead(dead_process)
    assert not process_id.is_dead("")
    assert not process_id.is_dead("junk")


def test_only_one_of_two_claims_wins(demo: Demo) -> None:
    job = submit(refs=demo.open_tickets[:3], here=False).job
    first = execution.claim(job.pk)
    assert first is not None
    assert execution.claim(job.pk) is None
    assert Job.objects.get().lease_token == first.token


def test_a_worker_that_lost_the_lease_writes_nothing(demo: Demo) -> None:
    held = execution.claim(submit(refs=demo.open_tickets[:3], here=False).job.pk)
    assert held is not None
    Job.objects.update(lease_token="another's")
    with pytest.raises(LeaseLost), held.commit(found=99):
        raise AssertionError("the body must not run")
    assert Job.objects.get().found == 0
    Job.objects.update(lease_token="")


def test_the_lease_is_checked_before_every_call(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    """One question about batches may take several calls, and each may take as long as a call can."""
    refs = [ref for ref in demo.open_tickets if "vip" not in demo.tags(ref)][:3]
    demo.fault("job_gone")
    made = submit(refs=refs)
    ask = Zendesk.job_statuses

    def ask_and_be_robbed(self: Zendesk, ids: Any) -> Any:
        found = ask(self, ids)
        Job.objects.filter(pk=made.job.pk).update(lease_token="another's")
        return found

    monkeypatch.setattr(Zendesk, "job_statuses", ask_and_be_robbed)
    monkeypatch.setattr(lease, "FENCE_MAX_AGE", 0.0)
    assert run(made).lease_token == "another's"
    assert [name for name in demo.account.ledger.calls if "job_statuses" in name] == [
        "GET job_statuses/show_many"
    ]


def test_the_longest_call_fits_between_the_fence_and_the_end_of_the_lease() -> None:
    assert timedelta(seconds=lease.FENCE_MAX_AGE + attempt.ATTEMPT_TIMEOUT) < STALE_AFTER


def test_a_worker_that_loses_its_job_stops_and_the_other_finishes(demo: Demo) -> None:
    refs = [ref for ref in demo.open_tickets if "vip" not in demo.tags(ref)][:250]
    made = submit(refs=refs)

    def take_over() -> None:
        if demo.account.ledger.jobs:
            Job.objects.filter(pk=made.job.pk).update(lease_token="")

    job = run(made, tick=take_over)
    assert job.status == "running"
    assert outcomes(run(job)) == dict.fromkeys(refs, "changed")
    assert dict(demo.account.ledger.updates) == dict.fromkeys(refs, 1)


def test_ten_wake_ups_do_no_more_than_one(demo: Demo) -> None:
    refs = demo.open_tickets[:150]
    job = submit(refs=refs, here=False, add=["brand-new"]).job
    for _ in range(10):
        tasks.work_on(job.pk)
    assert outcomes(job) == dict.fromkeys(refs, "changed")
    assert dict(demo.account.ledger.sent) == dict.fromkeys(refs, 1)


def test_a_wake_up_for_a_job_that_is_gone_does_nothing(db: None) -> None:
    tasks.work_on(4711)


def test_a_slice_ends_by_itself_and_leaves_a_wake_up(demo: Demo) -> None:
    job = submit(refs=demo.open_tickets[:250], here=False).job
    OrmQ.objects.all().delete()
    run(job, seconds=0.0)
    assert (job.status, job.lease_token) == ("selecting", "")
    assert OrmQ.objects.count() == 1
    assert run(job).status == "succeeded"


def test_a_small_job_is_handed_over_when_its_time_is_up_or_it_turns_out_large(demo: Demo) -> None:
    made = submit(refs=demo.open_tickets[:250])
    execution.run(made.job.pk, token=made.token, seconds=60, max_items=120)
    made.job.refresh_from_db()
    assert (made.job.lease_token, OrmQ.objects.count()) == ("", 1)
    assert made.job.found < 250
    assert run(made.job).status == "succeeded"


def hold(job: Job, *, by: str, beat_ago: timedelta) -> None:
    Job.objects.filter(pk=job.pk).update(
        status=Status.RUNNING, lease_token="t", lease_owner=by, beat_at=timezone.now() - beat_ago
    )


def test_a_dead_process_of_this_host_is_replaced_at_once(demo: Demo, dead_process: str) -> None:
    job = submit(refs=demo.open_tickets[:3], here=False).job
    hold(job, by=dead_process, beat_ago=timedelta(0))
    OrmQ.objects.all().delete()
    assert reaper.reap() == 1
    job.refresh_from_db()
    assert (job.status, job.waiting_for, job.lease_token, job.crash_count) == (
        "waiting",
        "worker_lost",
        "",
        1,
    )
    assert OrmQ.objects.count() == 1
    assert "was lost" in job.transitions.latest("id").why


@pytest.mark.parametrize(("beat_ago", "taken"), [(timedelta(0), 0), (STALE_AFTER * 2, 1)])
def test_a_process_of_another_host_is_replaced_by_its_missing_beat_alone(
    demo: Demo, beat_ago: timedelta, taken: int
) -> None:
    job = submit(refs=demo.open_tickets[:3], here=False).job
    hold(job, by="elsewhere/boot/1/1", beat_ago=beat_ago)
    assert reaper.reap() == taken
    Job.objects.update(status="cancelling", lease_token="")


def test_a_worker_that_beats_just_in_time_keeps_its_job(
    demo: Demo, monkeypatch: pytest.MonkeyPatch, dead_process: str
) -> None:
    job = submit(refs=demo.open_tickets[:3], here=False).job
    hold(job, by="elsewhere/boot/1/1", beat_ago=STALE_AFTER * 2)
    stale = reaper._possibly_dead()
    Job.objects.update(beat_at=timezone.now())  # between the look and the taking
    assert [reaper._take_over(job) for job in stale] == [False]
    assert Job.objects.get().lease_token == "t"


@pytest.mark.parametrize("status", [Status.CANCELLING, Status.PAUSING])
def test_a_job_being_stopped_keeps_that_status_when_its_worker_dies(
    demo: Demo, dead_process: str, status: Status
) -> None:
    job = submit(refs=demo.open_tickets[:3], here=False).job
    hold(job, by=dead_process, beat_ago=timedelta(0))
    Job.objects.update(status=status)
    assert reaper.reap() == 1
    job = run(job)
    assert job.status == {"cancelling": "cancelled", "pausing": "paused"}[status]
    assert demo.account.ledger.sent == {}


def test_three_deaths_without_a_settled_batch_stop_the_job_with_an_explanation(
    demo: Demo, dead_process: str
) -> None:
    job = submit(refs=demo.open_tickets[:3], here=False).job
    for _ in range(3):
        hold(job, by=dead_process, beat_ago=timedelta(0))
        reaper.reap()
    job.refresh_from_db()
    assert job.status == "errored"
    assert "3 workers died" in job.error


def test_a_settled_batch_resets_the_count_of_deaths(demo: Demo) -> None:
    made = submit(refs=demo.open_tickets[:3], add=["brand-new"])
    Job.objects.update(crash_count=2)
    assert run(made).crash_count == 0


def test_a_job_whose_wake_up_was_lost_is_woken_again(demo: Demo) -> None:
    job = submit(refs=demo.open_tickets[:3], here=False).job
    OrmQ.objects.all().delete()
    reaper.reap()
    assert OrmQ.objects.count() == 0  # it may just be on its way
    Job.objects.update(woken_at=timezone.now() - timedelta(seconds=10))
    reaper.reap()
    assert OrmQ.objects.count() == 1
    Job.objects.update(woken_at=timezone.now() - timedelta(seconds=10))
    reaper.reap()
    assert OrmQ.objects.count() == 1  # it lies ready, the workers are busy
    assert run(job).status == "succeeded"


def test_a_parked_job_is_not_worked_on_before_its_time(demo: Demo) -> None:
    job = submit(refs=demo.open_tickets[:3], here=False).job
    Job.objects.update(
        status="waiting", waiting_for="rate_limit", resumes_at=timezone.now() + timedelta(minutes=5)
    )
    assert run(job).status == "waiting"


def test_a_bug_stops_the_job_with_an_explanation_and_is_raised(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tagmanager.changes.ticket_work import TicketWork

    def break_(*_: Any) -> None:
        raise ZeroDivisionError("secret insides")

    monkeypatch.setattr(TicketWork, "plan", break_)
    made = submit(refs=demo.open_tickets[:3])
    with pytest.raises(ZeroDivisionError):
        run(made)
    job = Job.objects.get()
    assert job.status == "errored"
    assert "secret insides" not in job.error


def test_a_missing_setting_stops_the_job_and_names_it(demo: Demo, settings: Any) -> None:
    settings.ZENDESK_OAUTH_CLIENT_ID = ""
    job = run(submit(refs=[1]))
    assert job.status == "errored"
    assert "ZENDESK_OAUTH_CLIENT_ID" in job.error


def test_an_unreadable_process_id_does_not_stop_the_watch(demo: Demo) -> None:
    job = submit(refs=demo.open_tickets[:3], here=False).job
    hold(job, by="somebody", beat_ago=STALE_AFTER * 2)
    assert reaper.reap() == 1
    assert "The worker unknown was lost" in job.transitions.latest("id").why
