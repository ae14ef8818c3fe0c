"""Calls under way at the same time: the result of each is stored, whatever happens to the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
import time_machine
from django.db.models import F
from django.utils import timezone

from jobs import actions
from jobs.actors import Actor
from jobs.engine import execution, lost_search, pipeline
from jobs.engine.readings import SNAPSHOT_MAX_AGE
from jobs.engine.refresher import READ_AT_ONCE
from jobs.errors import FateUnknown, NeedsPerson, TryLater
from jobs.models import Batch, Item, Job
from jobs.runtime import wakeups
from jobs.runtime.database_retry import DatabaseRetry
from jobs.runtime.time_slice import EXTEND_BY, TimeSlice
from jobs.states import BatchState, WaitReason
from jobs.work import (
    Answer,
    Change,
    CompletedCall,
    DeliveryEvidence,
    Payload,
    Phase,
    Receipt,
    SearchResult,
    Sendable,
    Verify,
)
from tests import factories
from tests.benchmarks.instant_work import InstantWork


class Slow:
    """A call that is over after a few checks, and then returns or raises."""

    under_way = 0
    most = 0

    def __init__(self, outcome: Any, checks: int) -> None:
        self._outcome, self._checks = outcome, checks
        Slow.under_way += 1
        Slow.most = max(Slow.most, Slow.under_way)

    @property
    def is_done(self) -> bool:
        self._checks -= 1
        return self._checks < 0

    def on_done(self, tell: Callable[[], None]) -> None:
        pass

    def result(self) -> Any:
        Slow.under_way -= 1
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome

    def discard(self) -> None:
        Slow.under_way -= 1


class SlowWork(InstantWork):
    """Calls that send take more checks than there are slots; some of them, by their number, go wrong."""

    wrong: dict[int, Exception] = {}
    begun = 0

    def send(self, change: Payload | None, items: Sequence[Sendable]) -> Any:
        SlowWork.begun += 1
        outcome = SlowWork.wrong.get(SlowWork.begun) or super().send(change, items).result()
        return Slow(outcome, checks=12)


@pytest.fixture
def job(job_counts: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    settings.JOBS_WORK = "tests.jobs.engine.test_pipeline.SlowWork"
    monkeypatch.setattr(pipeline.Pipeline, "wait", lambda *_: None)
    SlowWork.wrong, SlowWork.begun, Slow.under_way, Slow.most = {}, 0, 0, 0
    ReadSlowly.sent.clear()
    yield actions.submit(
        tool="bulk-tag",
        title="Add vip to many tickets",
        params={"add": ["vip"]},
        source={"kind": "instant", "number": 1_000},
        by=Actor(name="ana"),
    ).job
    assert Slow.under_way == 0


def states(job: Job) -> dict[str, int]:
    found = [state.value for state in BatchState]
    return {name: n for name in found if (n := job.batches.filter(state=name).count())}


def test_no_more_than_four_sending_calls_are_made_at_once(job: Job) -> None:
    execution.run(job.pk, seconds=60)
    job.refresh_from_db()
    assert (job.status, job.changed) == ("succeeded", 1_000)
    assert Slow.most == pipeline.SENT_AT_ONCE


def test_a_slice_that_ends_stores_the_receipts_of_its_calls_under_way(job: Job) -> None:
    def end_soon() -> None:
        if SlowWork.begun == 3:
            time_slice.until = 0.0

    time_slice = TimeSlice(time.monotonic() + 60, on_step=end_soon)
    execution._run(job.pk, "", time_slice, DatabaseRetry(60))
    job.refresh_from_db()
    assert (job.status, job.lease_token) == ("running", "")
    assert states(job) == {"pending": 7, "sent": 3}
    assert set(job.batches.filter(state="sent").values_list("receipt", flat=True)) != {""}


def test_a_call_that_fails_after_its_slice_stops_the_job_all_the_same(job: Job) -> None:
    def end_soon() -> None:
        if SlowWork.begun == 3:
            time_slice.until = 0.0

    SlowWork.wrong = {2: NeedsPerson("The token was revoked."), 3: NeedsPerson("It was revoked again.")}
    time_slice = TimeSlice(time.monotonic() + 60, on_step=end_soon)
    execution._run(job.pk, "", time_slice, DatabaseRetry(60))
    job.refresh_from_db()
    assert (job.status, job.error) == ("errored", "The token was revoked.")
    assert states(job) == {"pending": 9, "sent": 1}


@pytest.mark.parametrize(
    ("problem", "status", "left"),
    [
        (
            TryLater("Too many calls.", reason=WaitReason.RATE_LIMIT, seconds=60),
            "waiting",
            {"pending": 7, "sent": 3},
        ),
        (NeedsPerson("The token was revoked."), "errored", {"pending": 7, "sent": 3}),
        (RuntimeError("a bug"), "errored", {"pending": 6, "sending": 1, "sent": 3}),
    ],
)
def test_a_call_that_stops_the_job_does_not_lose_the_receipts_of_the_others(
    job: Job, problem: Exception, status: str, left: dict[str, int]
) -> None:
    SlowWork.wrong = {1: problem}
    try:
        execution.run(job.pk, seconds=60)
    except RuntimeError as bug:
        assert bug is problem  # noqa: PT017 - a bug is logged and raised
    job.refresh_from_db()
    assert job.status == status
    assert states(job) == left


def test_a_lost_batch_is_searched_for_while_the_others_go_on(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost_search, "LOST_SEARCH_DELAY", 0.0)
    SlowWork.wrong = {2: FateUnknown("No answer came.")}
    execution.run(job.pk, seconds=60)
    job.refresh_from_db()
    assert (job.status, job.changed) == ("succeeded", 1_000)
    assert SlowWork.begun == 11  # it was not carried out, and goes again


def test_calls_that_find_the_queue_full_together_back_off_once(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]  # moves when the worker rests
    monkeypatch.setattr("jobs.engine.pipeline.time.monotonic", lambda: now[0])
    monkeypatch.setattr(pipeline.Pipeline, "wait", lambda *_: now.append(now.pop() + 0.5))
    full = TryLater("Too many bulk jobs.", reason=WaitReason.JOB_SLOTS, seconds=30)
    SlowWork.wrong = {2: full, 3: full, 4: full}
    holds: list[float] = []
    hold = pipeline.Pipeline._hold_sending

    def hold_and_note(held: pipeline.Pipeline) -> None:
        hold(held)
        holds.append(held._slots_back_off)

    monkeypatch.setattr(pipeline.Pipeline, "_hold_sending", hold_and_note)
    execution.run(job.pk, seconds=60)
    job.refresh_from_db()
    assert (job.status, job.changed) == ("succeeded", 1_000)
    assert holds == [2 * pipeline.SLOTS_BACK_OFF] * 3


class OnceWork(InstantWork):
    """Changes that must not be made twice; whether the first call was carried out shows late, or never."""

    verify = Verify.OFF

    answer_is_lost = True  # or else its receipt is known, and nobody knows the bulk job
    turns_up_after: float | None = None  # seconds
    sent_at: list[float] = []

    def plan(self, *_: Any) -> Change:
        return Change({"note": 1}, own=True, once=True)

    def send(self, change: Payload | None, items: Sequence[Sendable]) -> CompletedCall[Receipt]:
        OnceWork.sent_at.append(time.time())
        call = super().send(change, items)
        if self.answer_is_lost and len(OnceWork.sent_at) == 1:
            raise FateUnknown("No answer came.")
        return call

    @property
    def first_is_there(self) -> bool:
        if self.turns_up_after is None:
            return False
        return time.time() >= OnceWork.sent_at[0] + self.turns_up_after

    def find_lost(self, *_: Any) -> str | SearchResult:
        return next(iter(self._sent)) if self.first_is_there else SearchResult.ABSENT

    def poll(self, receipts: Sequence[str]) -> dict[str, Answer]:
        if self.answer_is_lost or self.first_is_there:
            return super().poll(receipts)
        return {receipt: Answer(Phase.GONE) for receipt in receipts}

    def find_evidence(self, items: Sequence[Sendable]) -> dict[int, DeliveryEvidence]:
        return dict.fromkeys([item.ref for item in items], DeliveryEvidence.NOT_MADE)


@pytest.fixture
def once(job: Job, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Job]:
    """One batch of such changes; whenever the worker waits, a second passes."""
    settings.JOBS_WORK = "tests.jobs.engine.test_pipeline.OnceWork"
    Job.objects.update(source={"kind": "instant", "number": 3})
    OnceWork.sent_at = []
    monkeypatch.setattr("jobs.engine.pipeline.time.monotonic", time.time)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        monkeypatch.setattr(pipeline.Pipeline, "wait", lambda *_: clock.shift(1.0))
        yield job


@pytest.mark.parametrize(("turns_up_after", "sent_again_after"), [(59, []), (None, [60])])
def test_a_lost_comment_may_turn_up_for_a_minute_before_it_is_sent_again(
    once: Job, monkeypatch: pytest.MonkeyPatch, turns_up_after: float | None, sent_again_after: list[int]
) -> None:
    monkeypatch.setattr(OnceWork, "turns_up_after", turns_up_after)
    execution.run(once.pk, seconds=300)
    once.refresh_from_db()
    assert (once.status, once.changed) == ("succeeded", 3)
    first, *again = OnceWork.sent_at
    assert [round(moment - first) for moment in again] == sent_again_after


@pytest.mark.parametrize(("turns_up_after", "outcome"), [(59, "changed"), (None, "unverified")])
def test_a_bulk_job_that_nobody_knows_may_turn_up_for_a_minute_before_a_person_has_to_look(
    once: Job, monkeypatch: pytest.MonkeyPatch, turns_up_after: float | None, outcome: str
) -> None:
    monkeypatch.setattr(OnceWork, "answer_is_lost", False)
    monkeypatch.setattr(OnceWork, "turns_up_after", turns_up_after)
    execution.run(once.pk, seconds=300)
    assert list(once.items.values_list("outcome", flat=True)) == [outcome] * 3
    assert len(OnceWork.sent_at) == 1


class ReadSlowly(InstantWork):
    """Readings take three checks; what was sent in an earlier time slice is known."""

    sent: dict[str, list[int]] = {}

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self._sent = self.sent
        self._receipts = count(len(self.sent))

    def read(self, refs: Sequence[int]) -> Any:
        return Slow(super().read(refs).result(), checks=3)

    def send(self, change: Payload | None, items: Sequence[Sendable]) -> CompletedCall[Receipt]:
        SlowWork.begun += 1
        return super().send(change, items)


def send_first_and_let_the_others_age(job: Job) -> None:
    def end_soon() -> None:
        if SlowWork.begun:
            time_slice.until = 0.0

    time_slice = TimeSlice(time.monotonic() + 60, on_step=end_soon)
    execution._run(job.pk, "", time_slice, DatabaseRetry(60))
    aged = job.batches.filter(sent_at=None).update(read_at=timezone.now() - 2 * SNAPSHOT_MAX_AGE)
    assert aged == 9


def test_stale_batches_are_read_again_at_the_same_time(job: Job, settings: Any) -> None:
    settings.JOBS_WORK = "tests.jobs.engine.test_pipeline.ReadSlowly"
    send_first_and_let_the_others_age(job)
    execution.run(job.pk, seconds=60)
    job.refresh_from_db()
    assert (job.status, job.changed) == ("succeeded", 1_000)
    assert Slow.most == READ_AT_ONCE
    assert job.calls_read == 10 + 9  # the pages, and each batch that had not been sent


def test_items_that_join_a_batch_during_its_refresh_are_read_too(
    job: Job, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.JOBS_WORK = "tests.jobs.engine.test_pipeline.ReadSlowly"
    late = 99_999
    asked: list[set[int]] = []
    read = ReadSlowly.read

    def read_while_one_joins(self: ReadSlowly, refs: Sequence[int]) -> Any:
        if not asked:
            batch = Batch.objects.get(items__ref=refs[0])
            Item.objects.create(job=job, batch=batch, ref=late, before={}, change={"add": ["vip"]})
            Batch.objects.filter(pk=batch.pk).update(size=F("size") + 1)
            Job.objects.update(found=F("found") + 1, total=F("total") + 1)
        asked.append(set(refs))
        return read(self, refs)

    send_first_and_let_the_others_age(job)
    monkeypatch.setattr(ReadSlowly, "read", read_while_one_joins)
    execution.run(job.pk, seconds=60)
    job.refresh_from_db()
    assert (job.status, job.changed) == ("succeeded", 1_001)
    assert [late in refs for refs in asked].count(True) == 1
    assert Item.objects.get(ref=late).before == InstantWork.read(ReadSlowly(job), [late]).result()[late]


def test_a_slice_is_extended_while_no_job_waits_but_not_forever(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("jobs.runtime.time_slice.time.monotonic", lambda: now[0])
    time_slice = TimeSlice(until=110.0, alone_until=120.0)
    now[0] = 108.0
    assert time_slice.left == 2.0 + EXTEND_BY
    waiting = factories.job()
    wakeups.wake(waiting)
    now[0] = 114.0
    assert time_slice.left == 1.0
    now[0] = 115.0
    assert time_slice.is_over


def test_a_future_wake_up_does_not_count_as_waiting(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("jobs.runtime.time_slice.time.monotonic", lambda: now[0])
    wakeups.wake(factories.job(), at=timezone.now() + timedelta(minutes=1))
    time_slice = TimeSlice(until=110.0, alone_until=112.0)
    now[0] = 109.0
    assert time_slice.left == 3.0
    now[0] = 112.0
    assert time_slice.is_over
