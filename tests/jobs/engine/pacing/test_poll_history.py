"""The first poll of a job is planned by what its last batches took, or those of other jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.engine.pacing import poll_history
from jobs.engine.pacing.poll_history import schedule_for
from jobs.engine.pacing.poll_schedule import GROWTH, OVERHEAD_ITEMS, SHORTEST, Flight
from jobs.models import Job
from jobs.states import Status
from tests import factories

#: Effective items, so that a pace of one second makes ten.
SIZE = 10 - int(OVERHEAD_ITEMS) + 1_000


@pytest.fixture
def job(db: None) -> Job:
    return factories.job(Status.RUNNING, total=9)


def settled(of: Job, seconds: float | None, ago: float = 0.0, **fields: Any) -> None:
    """A batch that took this long and settled this many minutes ago."""
    at = timezone.now() - timedelta(minutes=ago)
    sent_at = None if seconds is None else at - timedelta(seconds=seconds)
    factories.batch(of, size=SIZE, sent_at=sent_at, settled_at=at, **fields)


def expected(job: Job) -> float:
    """Seconds after which a batch of the same size is polled first."""
    return round(schedule_for(job).next_poll([Flight(0.0, SIZE)]), 6)


def test_the_fastest_of_the_jobs_own_batches_counts(job: Job) -> None:
    settled(factories.job(Status.RUNNING, total=9), 2)
    settled(job, 12)
    settled(job, 7)
    settled(job, 9)
    assert expected(job) == 7.0


def test_larger_batches_are_expected_to_take_longer(job: Job) -> None:
    settled(job, 7)
    twice = 2 * SIZE + int(OVERHEAD_ITEMS)
    assert round(schedule_for(job).next_poll([Flight(0.0, twice)]), 6) == 14.0


def test_a_job_without_batches_learns_from_others(job: Job) -> None:
    settled(factories.job(Status.RUNNING, total=9), 7)
    assert expected(job) == 7.0


def test_a_batch_may_take_less_than_a_second(job: Job) -> None:
    settled(job, 0.5)
    assert expected(job) == 0.5


def test_times_that_a_clock_set_back_or_a_lost_receipt_made_up_do_not_count(job: Job) -> None:
    settled(job, 7)
    settled(job, 0)
    settled(job, -0.5)
    settled(job, -500)
    settled(job, None)
    settled(job, 1, receipt="")
    assert expected(job) == 7.0


def test_without_any_batch_nothing_is_expected(job: Job) -> None:
    settled(job, 0)
    assert expected(job) == SHORTEST
    schedule = schedule_for(job)
    schedule.learn(2.0, [], [Flight(0.0, SIZE)])
    assert round(schedule.next_poll([Flight(0.0, SIZE)]), 6) == 2.0 * GROWTH


def test_only_the_last_batches_count(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poll_history, "RECENT_BATCHES", 2)
    for minutes, seconds in enumerate([9, 7, 2]):
        settled(job, seconds, ago=minutes)
    assert expected(job) == 7.0
