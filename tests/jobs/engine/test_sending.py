"""When and in which order batches are sent, searched for and settled; the clock moves only in waits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs import actions
from jobs.actors import Actor
from jobs.engine import execution, lost_search, pipeline
from jobs.engine.pacing import concurrency
from jobs.errors import FateUnknown, NeedsPerson, ReadAgain, Refused, TryLater
from jobs.models import Batch, Job
from jobs.runtime import failpoints
from jobs.runtime.failpoints import Failpoint
from jobs.states import BatchState, Status, WaitReason
from jobs.work import Answer, Change, DeliveryEvidence, Phase, Result, SearchResult, Unchanged, Verdict
from tests import factories
from tests.jobs.engine.scripted import (
    Script,
    batches,
    goes_well,
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
UNCLEAR, ABSENT = SearchResult.UNCLEAR, SearchResult.ABSENT
FULL = TryLater("Too many bulk jobs.", reason=WaitReason.JOB_SLOTS, seconds=5)
LOST = FateUnknown("No answer came.")
REFUSED = Result(Verdict.REFUSED, "no", "No.")
LATER = Result(Verdict.LATER, "conflict", "It was just changed.")


@pytest.fixture
def script(job_counts: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    written = Script(batch_size=1)
    with scripted(written, settings, monkeypatch):
        yield written


@pytest.fixture
def start(script: Script) -> float:
    return time.time()


# A full queue


def test_a_full_queue_is_tried_again_ever_more_rarely_until_it_has_room(
    script: Script, start: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "POLL_INTERVAL", 60.0)
    script.sends = [until(start + 200), *[FULL] * 6, (), FULL, ()]
    job = run(submitted(3))
    assert script.sent == [[1], *[[2]] * 7, *[[3]] * 2]
    assert since(start, script.sent_at) == [0, 0, 2, 6, 14, 30, 60, 90, 90, 92]
    assert (job.status, job.changed) == ("succeeded", 3)


def test_the_worker_wakes_at_the_very_moment_at_which_it_tries_again(
    script: Script, start: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "SLOTS_BACK_OFF", 1.3)
    script.sends = [until(start + 20), FULL, FULL]
    run(submitted(2))
    assert since(start, script.sent_at) == [0, 0, 1.3, 3.9]


def test_with_nothing_in_flight_a_full_queue_is_a_reason_to_wait_like_any_other(
    script: Script, start: float
) -> None:
    script.sends = [FULL]
    job = run(submitted(1))
    assert since(start, script.sent_at) == [0, 5]
    assert job.changed == 1


def test_another_reason_to_wait_stops_the_job_although_something_is_in_flight(
    script: Script, start: float
) -> None:
    slow = TryLater("Too many calls.", reason=WaitReason.RATE_LIMIT, seconds=60)
    script.sends = [until(start + 20), slow]
    job = run(submitted(2))
    assert (job.status, job.waiting_for) == ("waiting", "rate_limit")
    assert batches(job, "state") == [("sent",), ("pending",)]
    assert job.batches.get(state="pending").sent_at is None


# The slots that all jobs share


def other_job_takes_all_slots() -> Job:
    other = factories.job(Status.RUNNING)
    for number in range(10):
        factories.batch(other, BatchState.SENT, receipt=f"other{number}")
    return other


def test_a_slot_that_another_job_frees_is_taken_within_half_a_second(script: Script, start: float) -> None:
    other = other_job_takes_all_slots()
    freed: list[float] = []

    def free_one() -> None:
        if not freed and time.time() >= start + 7:
            other.batches.update(state=BatchState.SETTLED, settled_at=timezone.now())
            freed.append(time.time())

    run(submitted(1), tick=free_one)
    assert since(freed[0], script.sent_at) == [0.5]


def test_a_slot_is_requested_twice_a_second_and_no_more(
    script: Script, start: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[float] = []
    free = concurrency.has_free_slot

    def noted(**slots: int) -> bool:
        requests.append(time.time())
        return free(**slots)

    monkeypatch.setattr(concurrency, "has_free_slot", noted)
    other_job_takes_all_slots()
    run(submitted(1), seconds=3)
    assert script.sent == []
    assert since(start, requests) == [0, 0.5, 1, 1.5, 2, 2.5]


def test_a_slot_of_the_job_itself_is_taken_as_soon_as_it_is_free(script: Script, start: float) -> None:
    other = other_job_takes_all_slots()
    other.batches.all()[0].delete()
    script.sends = [until(start + 0.1)]
    run(submitted(2))
    first, second = since(start, script.sent_at)
    assert (first, second) == (0, 0.1)


def test_no_more_batches_are_in_flight_than_the_other_side_takes(script: Script, start: float) -> None:
    script.max_in_flight = 2
    script.sends = [until(start + 10), until(start + 10), until(start + 30)]
    run(submitted(4))
    first, second, third, fourth = since(start, script.sent_at)
    assert (first, second) == (0, 0)
    assert 10 <= third == fourth


# Lost batches


def test_a_lost_batch_is_searched_for_after_two_seconds_and_every_two_seconds(
    script: Script, start: float
) -> None:
    receipt = "found"
    script.sends = [LOST, until(start + 30)]
    script.found = [UNCLEAR, UNCLEAR, receipt]
    script.under_way[receipt] = ([1], goes_well)
    job = run(submitted(2))
    assert since(start, script.searched_at) == [2, 4, 6]
    assert script.known == [{f"{2:032x}"}] * 3
    assert script.sent == [[1], [2]]
    assert batches(job, "state", "receipt") == [("settled", receipt), ("settled", f"{2:032x}")]
    assert outcomes(job) == {}


def test_the_worker_wakes_at_the_very_moment_of_a_search(
    script: Script, start: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost_search, "LOST_SEARCH_DELAY", 1.3)
    script.sends = [LOST, until(start + 30)]
    script.found = [UNCLEAR]
    run(submitted(2))
    assert since(start, script.searched_at) == [1.3, 2.6]


def test_of_two_lost_batches_the_one_that_was_lost_first_is_searched_for_first(
    script: Script, start: float
) -> None:
    script.max_in_flight = 2
    script.sends = [LOST, until(start + 1), LOST]
    script.found = [UNCLEAR, ABSENT]
    run(submitted(3))
    assert script.searched[:2] == [[1], [1]]
    assert script.searched[2] == [3]


def test_an_unclear_search_is_given_up_after_ten_minutes_and_the_items_are_read(
    script: Script, start: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost_search, "LOST_SEARCH_DELAY", 60.0)
    monkeypatch.setattr(execution, "POLL_INTERVAL", 60.0)
    script.sends = [LOST]
    script.found = [UNCLEAR] * 20
    script.applied = {1}
    job = run(submitted(1))
    assert since(start, script.searched_at) == list(range(60, 601, 60))
    assert (script.sent, script.read_back, outcomes(job)) == ([[1]], [[1]], {})


def test_the_absence_of_a_comment_is_believed_after_a_minute(script: Script, start: float) -> None:
    script.plan = lambda ref: Change({"note": ref}, own=True, once=True)
    script.evidence = {1: DeliveryEvidence.NOT_MADE}
    script.sends = [LOST]
    job = run(submitted(1))
    assert since(start, script.searched_at) == [2, 4, 8, 16, 32, 60]
    assert since(start, script.sent_at) == [0, 60]
    assert outcomes(job) == {}


def test_a_bulk_job_that_nobody_knows_is_polled_for_a_minute_if_it_may_post_a_comment(
    script: Script, start: float
) -> None:
    script.plan = lambda ref: Change({"note": ref}, own=True, once=True)
    script.sends = [silent(Phase.GONE)]
    run(submitted(1))
    assert 60 <= since(start, script.polled_at)[-1] < 95


def test_a_bulk_job_that_nobody_knows_is_settled_at_once_if_it_changes_tags(
    script: Script, start: float
) -> None:
    script.sends = [silent(Phase.GONE)]
    run(submitted(1))
    assert since(start, script.sent_at) == [0, 0.1]


def test_the_next_worker_follows_what_was_sent_and_searches_for_what_has_no_receipt(
    script: Script, start: float
) -> None:
    script.sends = [until(start + 20), until(start + 20)]
    job = run(submitted(3), seconds=5)
    script.under_way["found"] = ([2], goes_well)
    script.found = ["found"]
    assert batches(job, "state") == [("sent",), ("sent",), ("settled",)]
    Batch.objects.filter(pk__in=job.batches.order_by("id")[1:2]).update(state=BatchState.SENDING, receipt="")
    job = run(job)
    assert script.sent == [[1], [2], [3]]
    assert batches(job, "state", "receipt") == [
        ("settled", f"{1:032x}"), ("settled", "found"), ("settled", f"{3:032x}"),
    ]  # fmt: skip
    assert since(start, script.searched_at) == [5]


def test_the_next_worker_searches_only_two_seconds_after_a_batch_was_sent(
    script: Script, start: float
) -> None:
    script.sends = [until(start + 20)]
    job = run(submitted(1), seconds=1)
    sent_at = timezone.now() - timedelta(seconds=0.5)
    Batch.objects.update(state=BatchState.SENDING, receipt="", sent_at=sent_at)
    began = time.time()
    job = run(job)
    assert (since(began, script.searched_at), job.changed) == ([1.5], 1)
    assert since(began, script.lost_since) == [-0.5]


# Calls that are not carried out


def test_a_batch_that_has_to_be_read_once_more_is_read_and_sent(script: Script) -> None:
    script.sends = [ReadAgain("The rule was changed.")]
    job = run(submitted(2))
    assert (script.sent, script.read) == ([[1], [1], [2]], [[1]])
    assert batches(job, "attempt", "state") == [(1, "settled"), (1, "settled")]


def test_a_person_who_has_to_act_finds_the_batch_unsent(script: Script, start: float) -> None:
    script.sends = [until(start + 0.1), NeedsPerson("The token was revoked.")]
    job = run(submitted(2))
    assert (job.status, job.error) == ("errored", "The token was revoked.")
    assert batches(job, "state") == [("sent",), ("pending",)]
    assert job.batches.get(state="pending").sent_at is None
    actions.resume(job=job, by=ANA)
    assert run(job).changed == 2
    assert script.sent == [[1], [2], [2]]


def test_a_refused_call_takes_no_slot(script: Script) -> None:
    script.max_in_flight = 1
    script.sends = [Refused("No.", code="no")]
    job = run(submitted(2))
    assert outcomes(job) == {1: ("failed", "no", "No.")}


# Stops


def test_a_click_during_a_wait_is_noticed_within_half_a_second(script: Script, start: float) -> None:
    script.max_in_flight = 1
    script.sends = [until(start + 50)]
    job = submitted(2)
    noticed: list[float] = []

    def click() -> None:
        if time.time() >= start + 10 and Job.objects.get().status == Status.RUNNING:
            actions.pause(job=Job.objects.get(), by=ANA)
            noticed.append(time.time())

    job = run(job, tick=click)
    assert (job.status, len(noticed)) == ("paused", 1)
    assert script.sent == [[1]]
    assert batches(job, "state") == [("settled",), ("pending",)]


def test_a_click_right_before_a_batch_is_stored_as_sent_comes_in_time(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    def click(point: Failpoint) -> None:
        if point is Failpoint.BATCH_CHOSEN and len(script.sent) == 1:
            actions.pause(job=Job.objects.get(), by=ANA)

    monkeypatch.setattr(failpoints, "_listeners", [click])
    job = run(submitted(3))
    assert (job.status, script.sent) == ("paused", [[1]])
    assert batches(job, "state") == [("settled",), ("pending",), ("pending",)]


def test_the_answer_that_may_stop_the_job_is_settled_first(script: Script, start: float) -> None:
    script.sends = [
        until(start + 5),
        until(start + 5, silent(Phase.FAILED)),
        until(start + 5, tells({3: REFUSED})),
    ]
    settled: list[int] = []

    def note() -> None:
        found = Batch.objects.filter(state=BatchState.SETTLED).exclude(pk__in=settled).order_by("id")
        settled.extend(found.values_list("pk", flat=True))

    job = run(submitted(3), tick=note)
    first, second, third = (pk for (pk,) in batches(job, "pk")[:3])
    assert settled[:3] == [second, third, first]


def test_batches_that_are_answered_together_are_settled_without_a_pause(script: Script, start: float) -> None:
    script.sends = [until(start + 5)] * 3
    job = run(submitted(3))
    assert len(set(batches(job, "settled_at"))) == 1


def test_nothing_more_is_sent_once_most_is_refused(script: Script) -> None:
    script.batch_size, script.max_in_flight = 50, 1
    script.sends = [tells(dict.fromkeys(range(1, 200), REFUSED))] * 4
    job = run(submitted(200))
    assert (job.status, job.failed, len(script.sent)) == ("errored", 50, 1)


# The first items of a job


def test_the_first_items_are_cut_out_of_their_batch_and_the_rest_waits(script: Script) -> None:
    script.batch_size = 5
    job = run(submitted(10, canary=3))
    assert (job.status, script.sent) == ("paused", [[1, 2, 3]])
    assert job.tried_at is not None
    assert batches(job, "size", "state") == [(3, "settled"), (5, "pending"), (2, "pending")]
    actions.resume(job=job, by=ANA)
    job = run(job)
    assert (job.status, job.changed) == ("succeeded", 10)
    assert script.sent[1:] == [[6, 7, 8, 9, 10], [4, 5]]


def test_the_first_items_may_be_in_several_batches(script: Script) -> None:
    script.batch_size = 2
    job = run(submitted(10, canary=5))
    assert (job.status, script.sent) == ("paused", [[1, 2], [3, 4], [5]])


def test_what_is_sent_again_counts_among_the_first_items(script: Script) -> None:
    script.batch_size = 3
    script.sends = [tells({1: LATER, 2: LATER, 3: LATER})]
    job = run(submitted(3, canary=4))
    assert (job.status, script.sent) == ("paused", [[1, 2, 3], [1]])
    assert batches(job, "attempt", "size") == [(1, 3), (2, 1), (2, 2)]


def test_items_that_need_nothing_stay_in_their_batch_when_it_is_cut(script: Script) -> None:
    planned: list[int] = []

    def plan(ref: int) -> Any:
        planned.append(ref)
        return Unchanged() if ref == 1 and planned.count(1) == 2 else Change({"add": ["vip"]})

    script.batch_size, script.plan = 5, plan
    job = submitted(5, canary=2)

    def age() -> None:
        if planned == [1, 2, 3, 4, 5]:
            job.batches.update(read_at=None)

    job = run(job, tick=age)
    assert script.sent == [[2, 3]]
    assert batches(job, "size", "unchanged", "changed", "state") == [
        (2, 1, 2, "settled"), (2, 0, 0, "pending"),
    ]  # fmt: skip
    assert job.status == "paused"


@pytest.mark.parametrize("is_own", [True, False])
def test_a_probe_is_cut_out_of_a_batch_and_the_rest_carries_the_same(script: Script, is_own: bool) -> None:
    script.batch_size = 5
    script.plan = lambda _: Change({"note": 1}, own=is_own, once=is_own, probe="closed")
    job = submitted(5)
    job = run(job)
    assert script.sent == [[1], [2, 3, 4, 5]]
    first, rest = batches(job, "key", "change", "probe", "once", "attempt", "read_at")
    assert first == rest
    assert first[1:5] == (None if is_own else {"note": 1}, "closed", is_own, 1)
    assert script.read == []


def test_a_kind_waits_for_its_probe_while_others_are_sent(script: Script, start: float) -> None:
    script.plan = lambda ref: Change({"add": ["vip"]}, probe="closed" if ref <= 3 else "")
    script.sends = [until(start + 10), (), (), until(start + 90), until(start + 90)]
    run(submitted(5))
    assert script.sent == [[1], [4], [5], [2], [3]]
    *first, second, third = since(start, script.sent_at)
    assert first == [0, 0, 0]
    assert 10 <= second == third < 60  # the probe has opened the kind for more than one batch at a time


def test_a_job_stops_once_only_a_withheld_kind_is_left(script: Script) -> None:
    script.plan = lambda ref: Change({"add": ["vip"]}, probe="closed" if ref <= 2 else "")
    script.sends, script.withheld = [tells({1: REFUSED})], {"closed": "Closed tickets are refused."}
    job = run(submitted(4))
    assert (script.sent, job.status, job.remaining) == ([[1], [3], [4]], "errored", 1)
    assert job.error.startswith("Stopped: Closed tickets are refused. 1 ticket was not sent for that.")


# Polls


def test_a_batch_is_polled_first_after_a_tenth_of_a_second_and_then_ever_more_rarely(
    script: Script, start: float
) -> None:
    script.sends = [until(start + 3)]
    run(submitted(1))
    times = since(start, script.polled_at)
    assert times[0] == 0.1
    assert times[-1] >= 3
    assert len(times) < 12


def test_progress_that_is_reported_spares_polls(script: Script, start: float) -> None:
    def answers(refs: Any) -> Answer:
        age = time.time() - start
        return goes_well(refs) if age >= 20 else Answer(Phase.RUNNING, progress=age / 20)

    script.sends, script.batch_size = [answers], 100
    run(submitted(100))
    assert len(script.polled_at) == 6


def test_a_stopped_job_keeps_no_slot_longer_than_five_minutes(
    script: Script, start: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "SLOT_RETRY_INTERVAL", 5.0)
    other = factories.job(Status.ERRORED)
    long_ago = timezone.now() - timedelta(minutes=4)
    for number in range(10):
        factories.batch(other, BatchState.SENT, receipt=f"other{number}", sent_at=long_ago)
    run(submitted(1))
    (sent,) = since(start, script.sent_at)
    assert 60 <= sent <= 65
