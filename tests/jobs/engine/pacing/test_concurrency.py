"""Slots, which all jobs share."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from jobs import actions
from jobs.actors import Actor
from jobs.engine import execution
from jobs.engine.pacing import concurrency, poll_schedule
from jobs.engine.pacing.slot_limit import SlotLimit
from jobs.engine.pipeline import Pipeline
from jobs.models import Batch, Gate, Job
from jobs.states import BatchState, Status
from jobs.work import Slots
from tests import factories


def test_a_job_that_shares_the_slots_always_has_a_batch_in_flight_while_it_waits(
    job_counts: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.JOBS_WORK = "tests.benchmarks.instant_work.InstantWork"
    factories.job(Status.RUNNING)  # another one, which leaves it half of the ten slots
    job = actions.submit(
        tool="bulk-tag",
        title="Add vip to many tickets",
        params={"add": ["vip"]},
        source={"kind": "instant", "number": 1_200},
        by=Actor(name="ana"),
    ).job
    under_way: list[int] = []
    rests: list[int] = []
    in_flight = Batch.objects.filter(job=job, state=BatchState.SENT)
    # Late enough that all five are in flight before the first poll, however slow the database is.
    monkeypatch.setattr(poll_schedule, "SHORTEST", 0.5)
    monkeypatch.setattr(Pipeline, "wait", lambda *_: rests.append(in_flight.count()))
    execution.run(job.pk, seconds=60, on_step=lambda: under_way.append(in_flight.count()))
    job.refresh_from_db()
    assert (job.status, job.changed) == ("succeeded", 1_200)
    assert max(under_way) == 5
    assert 0 not in rests


BOUND = 28


def answer(free: int, *, total: int = 30, called: float = 0.2) -> None:
    """The answer to a batch sent `called` seconds ago names so many free slots."""
    sent_at = timezone.now() - timedelta(seconds=called)
    with transaction.atomic():
        concurrency.learn_from_answer(Slots(total, free), sent_at=sent_at, most=BOUND)


def refusal(*receipts: str) -> None:
    with transaction.atomic():
        concurrency.learn_from_refusal(receipts or None, sent_at=timezone.now())


def may_send(taken: int) -> bool:
    with transaction.atomic():
        return concurrency.has_free_slot(taken=taken, most=BOUND)


def sent(job: Job, number: int, *, state: BatchState = BatchState.SENT, age: float = 1.0) -> list[Batch]:
    at = timezone.now() - timedelta(seconds=age)
    receipts = [f"{job.pk}-{n}" if state is BatchState.SENT else "" for n in range(number)]
    return [factories.batch(job, state, receipt=receipt, sent_at=at) for receipt in receipts]


def test_a_job_alone_may_fill_what_the_first_answer_says_is_free(db: None) -> None:
    job = factories.job(Status.RUNNING)
    assert may_send(0)
    sent(job, 10)
    assert not may_send(10)
    answer(20)
    assert may_send(10)
    assert concurrency.most_in_flight(BOUND) == BOUND


def test_slots_that_answers_count_beyond_all_our_jobs_are_others(db: None) -> None:
    one, other, stopped = (factories.job(s) for s in (Status.RUNNING, Status.RUNNING, Status.ERRORED))
    for job, number in ((one, 4), (other, 3), (stopped, 2)):
        sent(job, number)
    answer(30 - 9 - 12)
    assert concurrency.most_in_flight(BOUND) == 10
    assert SlotLimit.from_json(Gate.objects.get().learned).others == 12
    # Two jobs share them, and the stopped one keeps its slots until it has surely ended.
    assert [may_send(4), may_send(5)] == [True, False]


def test_a_batch_that_ended_since_the_call_is_not_taken_for_one_of_others(db: None) -> None:
    job = factories.job(Status.RUNNING)
    sent(job, 1)
    factories.batch(job, BatchState.SETTLED)
    ended = timezone.now() - timedelta(seconds=4)
    for _ in range(4):
        factories.batch(job, BatchState.SETTLED, settled_at=ended)
    answer(24)  # late: all six are counted
    assert SlotLimit.from_json(Gate.objects.get().learned).others == 0


def test_a_refusal_tells_apart_the_batches_of_all_our_jobs(db: None) -> None:
    job = factories.job(Status.RUNNING)
    ours = [batch.receipt for batch in sent(job, 11)]
    sent(job, 1, state=BatchState.SENDING)
    refusal(*ours, *(f"theirs-{n}" for n in range(18)))
    learned = SlotLimit.from_json(Gate.objects.get().learned)
    assert (learned.others, learned.limit) == (17, 6)  # one of them may be the one that is on its way
    assert not may_send(6)


def test_a_refusal_that_names_nothing_halves_what_is_in_flight(db: None) -> None:
    sent(factories.job(Status.RUNNING), 9)
    refusal()
    assert concurrency.most_in_flight(BOUND) == 4


def test_a_job_with_nothing_in_flight_may_always_send(db: None) -> None:
    factories.job(Status.RUNNING)
    answer(0)
    refusal()
    assert may_send(0)


def test_an_answer_that_teaches_nothing_new_writes_nothing(db: None, django_assert_num_queries: Any) -> None:
    sent(factories.job(Status.RUNNING), 1)
    answer(29, called=0.2)
    with django_assert_num_queries(4):  # a savepoint and its release among them
        answer(29, called=0.5)
