"""One time slice of one worker: how it takes a job, waits, parks, stops and ends it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError
from django.utils import timezone
from django_q.models import OrmQ

from jobs import actions
from jobs.actors import Actor
from jobs.engine import execution
from jobs.engine.execution import CANNOT_CANCEL
from jobs.errors import FateUnknown, NeedsPerson, TryLater
from jobs.models import Batch, Item, Job
from jobs.runtime import failpoints, lease
from jobs.runtime.database_retry import DatabaseRetry
from jobs.runtime.failpoints import Failpoint
from jobs.states import Status, WaitReason
from jobs.work import Change, DeliveryEvidence, Phase, Result, Verdict
from tests.jobs.engine.scripted import (
    MovedClock,
    Script,
    batches,
    outcomes,
    run,
    scripted,
    silent,
    since,
    submitted,
    tells,
    until,
)

ANA = Actor(name="ana")
REFUSED = Result(Verdict.REFUSED, "no", "No.")


def away(seconds: float | None = None) -> TryLater:
    return TryLater("Zendesk does not answer.", reason=WaitReason.SERVICE_AWAY, seconds=seconds)


@pytest.fixture
def script(job_counts: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    written = Script(batch_size=1)
    # The connection of the test has to outlive an outage that it made up.
    monkeypatch.setattr("jobs.runtime.database_retry.close_old_connections", lambda: None)
    with scripted(written, settings, monkeypatch):
        yield written


@pytest.fixture
def start(script: Script) -> float:
    return time.time()


def at(point: Failpoint, do: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Do that once, when the worker reaches the point."""
    waiting = [do]

    def listener(reached: Failpoint) -> None:
        if reached is point and waiting:
            waiting.pop()()

    monkeypatch.setattr(failpoints, "_listeners", [listener])


def the_job() -> Job:
    return Job.objects.get()


def told(job: Job) -> list[tuple[str, str]]:
    """Where the job went, and why, from its first claim on."""
    return list(job.transitions.order_by("id").values_list("to_status", "why"))[1:]


# Taking a job


def test_a_worker_takes_a_job_and_puts_it_down_as_nobodys(script: Script) -> None:
    job = run(submitted(2))
    assert (job.status, job.lease_token, job.lease_owner, job.beat_at) == ("succeeded", "", "", None)
    assert told(job) == [
        ("selecting", "Started."),
        ("running", "The list is complete: 2 tickets, 2 to change."),
        ("succeeded", ""),
    ]
    assert job.started_at is not None


def test_nobody_takes_a_job_that_another_holds_or_that_has_ended(script: Script) -> None:
    job = submitted(2)
    Job.objects.update(lease_token="another's")
    assert run(job).status == "queued"
    execution.run(job.pk, seconds=60, token="not-the-one")
    assert the_job().status == "queued"
    execution.run(job.pk, seconds=60, token="another's")
    assert the_job().status == "succeeded"
    execution.run(job.pk, seconds=60)
    assert script.sent == [[1], [2]]


def test_a_job_goes_on_where_its_list_is_complete(script: Script, start: float) -> None:
    script.sends, script.max_in_flight = [until(start + 30)], 1
    job = run(submitted(2), seconds=1)
    assert (job.status, job.lease_token) == ("running", "")
    began = job.started_at
    actions.pause(job=job, by=ANA)
    assert run(job).status == "paused"
    actions.resume(job=job, by=ANA)
    job = run(job)
    assert (job.status, job.started_at) == ("succeeded", began)
    assert ("running", "Goes on.") in told(job)


def test_a_job_that_waited_while_it_was_stopped_is_not_shown_as_waiting(script: Script, start: float) -> None:
    script.sends = [until(start + 40), away(60)]
    job = run(submitted(2))
    assert (job.status, job.waiting_for) == ("waiting", "service_away")
    actions.pause(job=job, by=ANA)
    Job.objects.update(resumes_at=timezone.now(), waiting_for="service_away")
    job = run(job, seconds=1)
    assert (job.status, job.resumes_at, job.waiting_for) == ("pausing", None, "")
    assert run(job).status == "paused"


# The end


@pytest.mark.parametrize(
    ("refused", "gone", "status"),
    [({}, set(), "succeeded"), ({1: REFUSED}, set(), "partial"), ({1: None}, {1}, "partial")],
)
def test_a_job_succeeds_unless_something_failed_or_could_not_be_verified(
    script: Script, refused: Any, gone: set[int], status: str
) -> None:
    script.sends, script.gone = [tells(refused)], gone
    job = run(submitted(2))
    assert (job.status, job.changed) == (status, 2 - len(refused))
    assert job.finished_at is not None


def test_a_job_never_ends_with_an_item_that_was_forgotten(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forget() -> None:
        Item.objects.filter(ref=2).update(batch=None)
        Batch.objects.filter(items__isnull=True).delete()

    job = submitted(2)
    at(Failpoint.LIST_FROZEN, forget, monkeypatch)
    with pytest.raises(AssertionError, match="nothing is left to send, and 1 items are open"):
        run(job)
    job.refresh_from_db()
    assert (job.status, job.changed) == ("errored", 1)
    assert job.error == (
        "Stopped by a fault of the program (AssertionError); the worker's log has the details. "
        "Nothing is lost: resume goes on from the last settled batch."
    )
    Item.objects.filter(ref=2).update(outcome="skipped", batch=None)
    Job.objects.update(skipped=1)


def test_a_list_that_was_all_done_is_cancelled_or_paused_only_before_its_last_batch(
    script: Script, start: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.sends = [until(start + 5)]
    job = submitted(1)
    at(Failpoint.ANSWERS_READ, lambda: actions.cancel(job=the_job(), by=ANA), monkeypatch)
    assert run(job).status == "succeeded"


@pytest.mark.parametrize(("click", "status"), [(actions.cancel, "cancelled"), (actions.pause, "paused")])
def test_what_is_in_flight_is_settled_before_a_job_stops(
    script: Script, start: float, monkeypatch: pytest.MonkeyPatch, click: Any, status: str
) -> None:
    script.sends, script.max_in_flight = [until(start + 20)], 1
    job = submitted(3)
    at(Failpoint.RECEIPT_WRITTEN, lambda: click(job=the_job(), by=ANA), monkeypatch)
    job = run(job)
    assert (job.status, job.changed, job.lease_token) == (status, 1, "")
    assert script.sent == [[1]]


@pytest.mark.parametrize(("click", "status"), [(actions.cancel, "cancelled"), (actions.pause, "paused")])
def test_a_click_while_the_list_is_read_stops_the_job_before_anything_is_sent(
    script: Script, monkeypatch: pytest.MonkeyPatch, click: Any, status: str
) -> None:
    job = submitted(150)
    at(Failpoint.PAGE_WRITTEN, lambda: click(job=the_job(), by=ANA), monkeypatch)
    job = run(job)
    assert (job.status, job.frozen_at, job.lease_token, script.sent) == (status, None, "", [])
    assert OrmQ.objects.count() == 2  # of its beginning and of the click


def test_a_click_that_comes_with_the_last_page_leaves_the_list_unfrozen(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submitted(2)
    at(Failpoint.CLAIMED, lambda: actions.cancel(job=the_job(), by=ANA), monkeypatch)
    assert (run(job).status, the_job().found) == ("cancelled", 0)


# Time slices


def test_a_slice_that_is_over_leaves_a_wake_up_and_the_batches_in_flight(
    script: Script, start: float
) -> None:
    script.sends = [until(start + 20)]
    job = submitted(1)
    OrmQ.objects.all().delete()
    job = run(job, seconds=5)
    assert (job.status, job.lease_token, batches(job, "state")) == ("running", "", [("sent",)])
    assert since(start, [time.time()]) == [5]
    assert OrmQ.objects.count() == 1


def test_a_slice_may_last_longer_while_no_other_job_waits(script: Script, start: float) -> None:
    script.sends = [until(start + 20)]
    job = submitted(1)
    OrmQ.objects.all().delete()
    execution.run(job.pk, seconds=5, seconds_alone=60)
    assert the_job().status == "succeeded"


def test_a_list_longer_than_allowed_is_left_to_another_worker(script: Script) -> None:
    job = submitted(3)
    execution.run(job.pk, seconds=60, max_items=2)
    assert (the_job().status, the_job().lease_token, script.sent) == ("running", "", [[1]])
    execution.run(job.pk, seconds=60, max_items=3)
    assert the_job().status == "succeeded"


def test_every_step_is_reported(script: Script, start: float) -> None:
    script.sends = [until(start + 3)]
    steps: list[float] = []
    run(submitted(1), tick=lambda: steps.append(time.time()))
    assert max(since(start, steps)) >= 3
    assert max(later - sooner for sooner, later in pairwise(steps)) < 0.6


# Waits


def test_a_short_wait_is_sat_out_with_the_job_in_hand(script: Script, start: float) -> None:
    script.sends = [away(10)]
    job = run(submitted(1))
    assert since(start, script.sent_at) == [0, 10]
    assert [to for to, _ in told(job)] == ["selecting", "running", "succeeded"]


def test_a_longer_wait_parks_the_job_with_a_wake_up(script: Script) -> None:
    script.sends = [away(10.5)]
    job = submitted(1)
    OrmQ.objects.all().delete()
    job = run(job)
    resumes_at = timezone.now() + timedelta(seconds=10.5)
    assert (job.status, job.waiting_for, job.resumes_at) == ("waiting", "service_away", resumes_at)
    assert job.lease_token == ""
    assert told(job)[-1] == ("waiting", "Zendesk does not answer.")
    assert OrmQ.objects.get().lock == resumes_at
    assert run(job).status == "waiting"
    MovedClock.clock.shift(11)
    assert run(job).status == "succeeded"


def test_a_short_wait_that_outlasts_the_slice_is_left_to_the_next_worker(
    script: Script, start: float
) -> None:
    script.sends = [away(8)]
    job = submitted(1)
    OrmQ.objects.all().delete()
    job = run(job, seconds=5)
    assert (job.status, job.waiting_for, job.lease_token) == ("running", "service_away", "")
    assert job.resumes_at is not None
    assert since(start, [time.time(), job.resumes_at.timestamp()]) == [5, 8]
    assert OrmQ.objects.get().lock == job.resumes_at
    MovedClock.clock.shift(4)
    job = run(job)
    assert (job.status, job.waiting_for, since(start, script.sent_at)) == ("succeeded", "", [0, 9])


def test_a_click_during_a_short_wait_stops_a_job_whose_list_is_not_complete_at_once(
    script: Script, start: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away_once(*_: object) -> Any:
        raise away(9)

    monkeypatch.setattr("tests.benchmarks.instant_work.InstantWork.pages", away_once)

    def click() -> None:
        if time.time() >= start + 2 and the_job().status == Status.SELECTING:
            actions.cancel(job=the_job(), by=ANA)

    job = run(submitted(1), tick=click)
    assert (job.status, since(start, [time.time()])) == ("cancelled", [2.5])


def test_where_no_time_is_named_the_job_waits_ever_longer_until_a_batch_settles(script: Script) -> None:
    script.sends, script.max_in_flight = [*[away()] * 6, (), away()], 1
    job = submitted(2)
    waits = []
    for _ in range(7):
        job = run(job)
        assert job.resumes_at is not None
        waits.append((job.resumes_at - timezone.now()).total_seconds())
        MovedClock.clock.shift(waits[-1] + 1)
    assert run(job).status == "succeeded"
    assert waits == [15, 30, 60, 120, 240, 300, 15]


def test_the_wait_grows_no_more_after_many_failures(script: Script) -> None:
    script.sends = [away()]
    job = submitted(1)
    for _ in range(2_000):
        job.transitions.create(from_status="running", to_status="waiting", actor="worker test:1")
    job = run(job)
    assert job.resumes_at == timezone.now() + timedelta(seconds=300)


# Stops by errors


def test_an_error_for_a_person_stops_the_job_with_its_words(script: Script) -> None:
    script.sends = [NeedsPerson("The token was revoked.")]
    job = run(submitted(1))
    assert (job.status, job.error, job.lease_token) == ("errored", "The token was revoked.", "")
    assert told(job)[-1] == ("errored", "The token was revoked.")


def test_a_job_that_cannot_be_cancelled_says_how_to_stop_it(
    script: Script, start: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.sends = [until(start + 20)]
    job = submitted(1)

    def revoke() -> None:
        actions.cancel(job=the_job(), by=ANA)

        def poll(*_: object) -> Any:
            raise NeedsPerson("The token was revoked.")

        monkeypatch.setattr("tests.jobs.engine.scripted.ScriptedWork.poll", poll)

    at(Failpoint.RECEIPT_WRITTEN, revoke, monkeypatch)
    job = run(job)
    assert (job.status, job.error) == ("errored", f"The token was revoked. {CANNOT_CANCEL}")
    Batch.objects.all().delete()
    Job.objects.all().delete()


def test_a_bug_is_raised_and_the_job_says_where_to_look(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise IntegrityError("a bug in our code")

    job = submitted(1)
    at(Failpoint.CALL_MADE, fail, monkeypatch)
    with pytest.raises(IntegrityError, match="a bug in our code"):
        run(job)
    job.refresh_from_db()
    assert (job.status, job.lease_token) == ("errored", "")
    assert job.error.startswith("Stopped by a fault of the program (IntegrityError)")


def test_a_worker_that_lost_its_job_writes_nothing_more(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submitted(2)
    at(Failpoint.BATCH_RESERVED, lambda: Job.objects.update(lease_token="another's"), monkeypatch)
    job = run(job)
    assert (job.status, job.lease_token) == ("running", "another's")
    assert batches(job, "state") == [("sending",), ("pending",)]


# Outages of the database


def test_a_short_outage_of_the_database_is_waited_for_and_the_job_goes_on(
    script: Script, start: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OperationalError("the connection is closed")

    job = submitted(2)
    at(Failpoint.ANSWERS_READ, fail, monkeypatch)
    job = run(job)
    assert (job.status, script.sent) == ("succeeded", [[1], [2]])
    assert job.crash_count == 0


def test_a_job_that_the_database_cannot_keep_up_with_is_parked_for_a_quarter_of_a_minute(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OperationalError("the connection is closed")

    job = submitted(1)
    at(Failpoint.ANSWERS_READ, fail, monkeypatch)
    execution.run(job.pk, seconds=60, database_retry=DatabaseRetry(0.0))
    job.refresh_from_db()
    assert (job.status, job.waiting_for) == ("waiting", "database")
    assert job.resumes_at == timezone.now() + timedelta(seconds=15)
    MovedClock.clock.shift(16)
    assert run(job).status == "succeeded"


def test_an_outage_is_waited_for_up_to_fifty_seconds_beyond_the_slice(
    script: Script, start: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Failpoint) -> None:
        raise OperationalError("the connection is closed")

    job = submitted(1)
    monkeypatch.setattr(failpoints, "_listeners", [])
    monkeypatch.setattr(lease, "failpoint", fail)
    monkeypatch.setattr("jobs.runtime.database_retry.RETRY_INTERVAL", 5.0)
    job = run(job, seconds=10)
    assert (job.status, job.waiting_for) == ("waiting", "database")
    assert 60 <= time.time() - start < 65


def test_a_job_goes_on_after_an_outage_from_what_was_stored_last(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OperationalError("the connection is closed")

    script.batch_size = 100
    job = submitted(250)
    at(Failpoint.PAGE_WRITTEN, fail, monkeypatch)  # its answer was lost, and so what is in memory is old
    job = run(job)
    assert (job.status, job.found, job.changed, script.cursors) == ("succeeded", 250, 250, ["", "100"])


def test_a_job_that_another_took_during_an_outage_is_not_touched_again(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose() -> None:
        Job.objects.update(lease_token="another's")
        raise OperationalError("the connection is closed")

    job = submitted(250)
    monkeypatch.setattr(script, "plan", lambda ref: lose() if ref == 101 else Change({"add": ["vip"]}))
    job = run(job)
    assert (job.status, job.lease_token, job.found, script.cursors) == ("selecting", "another's", 100, [""])


def test_a_lost_call_is_not_repeated_when_the_job_goes_on_after_an_outage(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OperationalError("the connection is closed")

    script.sends = [FateUnknown("No answer came.")]
    script.evidence = {1: DeliveryEvidence.NOT_MADE}
    script.found = ["found"]
    script.under_way["found"] = ([1], tells({}))
    job = submitted(1)
    at(Failpoint.BATCH_RESERVED, fail, monkeypatch)
    job = run(job)
    assert (outcomes(job), len(script.sent)) == ({}, 0)


def test_an_error_on_the_way_keeps_the_receipts_of_other_calls(script: Script, start: float) -> None:
    script.sends = [until(start + 1), silent(Phase.GONE), NeedsPerson("The token was revoked.")]
    job = run(submitted(3))
    assert batches(job, "state") == [("sent",), ("sent",), ("pending",)]
