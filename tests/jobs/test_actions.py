"""What people do to jobs, at every moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django_q.models import OrmQ

from jobs import actions
from jobs.engine import pipeline
from jobs.engine.pipeline import Pipeline
from jobs.models import Batch, Gate, Job
from jobs.states import FollowUp, Status
from jobs.work import Sendable
from tests.demo import ANA, Demo, counts, follow, outcomes, run, submit
from tests.jobs.test_states import a_job


def test_the_same_form_sent_twice_makes_one_job(demo: Demo) -> None:
    first = submit(refs=[1], nonce="n", here=False)
    second = submit(refs=[1], nonce="n", here=False)
    assert (first.is_new, second.is_new, second.job) == (True, False, first.job)
    assert OrmQ.objects.count() == 1


def test_a_job_and_its_wake_up_are_written_together(demo: Demo) -> None:
    job = submit(refs=[5, 3, 5], here=False).job
    assert OrmQ.objects.get().task["args"] == (job.pk,)
    assert job.listed.get().refs == "5 3 5"
    assert [(line.from_status, line.to_status, line.actor) for line in job.transitions.all()] == [
        ("", "queued", "ana")
    ]


def test_many_refs_are_kept_in_pieces(demo: Demo) -> None:
    job = submit(refs=range(1, 12_001), here=False).job
    assert [len(row.refs.split()) for row in job.listed.order_by("number")] == [5_000, 5_000, 2_000]


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls are not made side by side, so that a click comes while some are still to be made."""
    monkeypatch.setattr(pipeline, "SENT_AT_ONCE", 1)


def after_first_batch(demo: Demo, act: Callable[[], None]) -> Callable[[], None]:
    """Acts once, after the first batch went out."""
    done: list[bool] = []

    def tick() -> None:
        if demo.account.ledger.jobs and not done:
            done.append(True)
            act()

    return tick


def test_cancel_settles_what_is_in_flight_and_sends_nothing_more(demo: Demo, one_by_one: None) -> None:
    demo.account.configure(scale=0.02)
    refs = demo.open_tickets[:350]
    made = submit(refs=refs, add=["brand-new"])
    job = run(made, tick=after_first_batch(demo, lambda: actions.cancel(job=made.job, by=ANA)))
    assert job.status == "cancelled"
    sent = demo.account.ledger.sent.total()
    assert 0 < sent < 350
    assert counts(job) == {"changed": sent, "remaining": 350 - sent}
    rest = follow(job, FollowUp.REST)
    assert counts(rest) == {"changed": 350 - sent}
    assert dict(demo.account.ledger.updates) == dict.fromkeys(refs, 1)


def test_pause_settles_what_is_in_flight_and_resume_goes_on(demo: Demo, one_by_one: None) -> None:
    demo.account.configure(scale=0.02)
    refs = demo.open_tickets[:350]
    made = submit(refs=refs, add=["brand-new"])
    job = run(made, tick=after_first_batch(demo, lambda: actions.pause(job=made.job, by=ANA)))
    assert job.status == "paused"
    sent = demo.account.ledger.sent.total()
    assert 0 < sent < 350
    assert counts(job) == {"changed": sent, "remaining": 350 - sent}
    assert run(job).status == "paused"  # a wake-up does not start it
    actions.resume(job=job, by=ANA)
    assert outcomes(run(job)) == dict.fromkeys(refs, "changed")
    assert dict(demo.account.ledger.updates) == dict.fromkeys(refs, 1)


def test_a_cancel_between_the_last_check_and_the_sending_still_stops_the_batch(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = submit(refs=demo.open_tickets[:50])
    reserve = Pipeline._reserve

    def cancel_first(pipe: Pipeline, batch: Batch) -> list[Sendable] | None:
        actions.cancel(job=made.job, by=ANA)
        return reserve(pipe, batch)

    monkeypatch.setattr(Pipeline, "_reserve", cancel_first)
    assert run(made).status == "cancelled"
    assert demo.account.ledger.sent == {}


def test_cancel_while_the_list_is_read_stops_before_anything_is_sent(demo: Demo) -> None:
    made = submit(refs=demo.open_tickets[:300])

    def cancel() -> None:
        if made.job.items.exists() and Job.objects.get().status == "selecting":
            actions.cancel(job=made.job, by=ANA)

    job = run(made, tick=cancel)
    assert (job.status, job.found, job.total) == ("cancelled", 100, None)
    assert demo.account.ledger.sent == {}


def test_a_click_that_comes_after_the_last_batch_finds_the_job_succeeded(demo: Demo) -> None:
    job = run(submit(refs=demo.open_tickets[:3]))
    for action in (actions.cancel, actions.pause, actions.resume):
        with pytest.raises(actions.NotPossible, match="succeeded"):
            action(job=job, by=ANA)


def test_a_cancel_at_the_moment_the_last_batch_settles_records_the_truth(demo: Demo) -> None:
    demo.account.configure(scale=0.02)
    made = submit(refs=demo.open_tickets[:50], add=["brand-new"])
    job = run(made, tick=after_first_batch(demo, lambda: actions.cancel(job=made.job, by=ANA)))
    assert job.status == "succeeded"  # nothing was left to do when it had settled


@pytest.mark.parametrize(
    ("status", "ends_in"),
    [
        (Status.QUEUED, Status.CANCELLED),
        (Status.WAITING, Status.CANCELLED),
        (Status.PAUSED, Status.CANCELLED),
        (Status.ERRORED, Status.CANCELLED),
        (Status.RUNNING, Status.CANCELLING),
        (Status.SELECTING, Status.CANCELLING),
        (Status.PAUSING, Status.CANCELLING),
    ],
)
def test_cancel_is_immediate_when_nobody_works_on_the_job(db: None, status: Status, ends_in: Status) -> None:
    job = a_job(status)
    actions.cancel(job=job, by=ANA)
    assert job.status == ends_in
    assert OrmQ.objects.count() == (ends_in is Status.CANCELLING)


def test_cancel_of_a_waiting_job_with_something_in_flight_settles_it_first(db: None) -> None:
    job = a_job(Status.WAITING)
    job.batches.create(key="k", state="sent", receipt="V3-1", size=1)
    actions.cancel(job=job, by=ANA)
    assert job.status == Status.CANCELLING
    assert job.resumes_at is None


@pytest.mark.parametrize(
    "status",
    # Running: between two slices, with nothing in flight.
    [Status.QUEUED, Status.WAITING, Status.RUNNING, Status.SELECTING],
)
def test_pause_is_immediate_when_nobody_works_on_the_job(db: None, status: Status) -> None:
    job = a_job(status)
    actions.pause(job=job, by=ANA)
    assert job.status == Status.PAUSED


@pytest.mark.parametrize("status", [Status.PAUSED, Status.ERRORED])
def test_resume_queues_the_job_again_and_wakes_a_worker(db: None, status: Status) -> None:
    job = a_job(status, crash_count=3)
    actions.resume(job=job, by=ANA)
    assert (job.status, job.crash_count, OrmQ.objects.count()) == (Status.QUEUED, 0, 1)


def test_resume_of_a_waiting_job_goes_on_at_once(demo: Demo) -> None:
    job = submit(refs=demo.open_tickets[:3], here=False).job
    Job.objects.update(status="waiting", waiting_for="rate_limit", resumes_at="2999-01-01T00:00Z")
    actions.resume(job=job, by=ANA)
    assert run(job).status == "succeeded"


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        (FollowUp.RETRY, "no ticket of it failed"),
        (FollowUp.REST, "left no ticket untouched"),
        (FollowUp.RUN, "not a dry run"),
        (FollowUp.UNDO, "changed no ticket"),
    ],
)
def test_a_follow_up_without_anything_to_do_is_refused_in_words(
    db: None, kind: FollowUp, sentence: str
) -> None:
    with pytest.raises(actions.NotPossible, match=sentence):
        actions.follow_up(
            job=a_job(Status.SUCCEEDED, total=0, frozen_at="2026-01-01T00:00Z"), kind=kind, by=ANA
        )


def test_a_job_that_goes_on_cannot_be_followed_up(db: None) -> None:
    with pytest.raises(actions.NotPossible, match="Cancel it first"):
        actions.follow_up(job=a_job(Status.RUNNING), kind=FollowUp.UNDO, by=ANA)


def test_retry_of_one_cause_takes_those_tickets_only(demo: Demo) -> None:
    refs = demo.open_tickets[:4]
    demo.fault("item_error", ids=refs[:1], code="TooBusy", text="Busy")
    demo.fault("item_error", ids=refs[1:2], code="Forbidden", text="No")
    job = run(submit(refs=refs, add=["brand-new"]))
    assert counts(job) == {"changed": 2, "failed": 2}
    demo.account.faults.clear()
    retried = run(actions.follow_up(job=job, kind=FollowUp.RETRY, by=ANA, reason="TooBusy", here=True))
    assert outcomes(retried) == {refs[0]: "changed"}
    assert (retried.parent, retried.follow_up, retried.title) == (job, "retry", f"Retry: {job.title}")


def test_a_job_that_waits_with_a_batch_in_flight_is_paused_when_that_is_settled(
    demo: Demo, settings: Any
) -> None:
    settings.ZENDESK_MAX_JOBS = 1
    demo.account.configure(scale=0.02)
    refs = demo.open_tickets[:300]
    made = submit(refs=refs, add=["brand-new"])
    demo.fault("rate_limited", on="GET /api/v2/job_statuses", retry_after=90)
    job = run(made)
    assert (job.status, job.waiting_for) == ("waiting", "rate_limit")
    assert job.batches.filter(state="sent").exists()
    sent = demo.account.ledger.sent.total()
    actions.pause(job=job, by=ANA)
    assert job.status == Status.PAUSING
    Gate.objects.all().delete()
    job = run(job)
    assert job.status == "paused"
    assert (sent, demo.account.ledger.sent.total(), job.changed) == (100, 100, 100)
