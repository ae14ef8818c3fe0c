"""What a worker knows of a batch in flight, from its row alone."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from jobs.engine.in_flight import age_of, sendables_of, sent
from jobs.models import Batch, Job
from jobs.states import BatchState, Status
from jobs.work import Sendable
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def still() -> Iterator[None]:
    with time_machine.travel(timezone.now(), tick=False):
        yield


@pytest.fixture
def job() -> Job:
    return factories.job(Status.RUNNING, total=9)


def batch_of(job: Job, seconds_ago: float | None, **fields: object) -> Batch:
    sent_at = None if seconds_ago is None else timezone.now() - timedelta(seconds=seconds_ago)
    return factories.batch(job, BatchState.SENT, sent_at=sent_at, **fields)


@pytest.mark.parametrize(
    ("seconds_ago", "age"), [(30.0, 30.0), (0.25, 0.25), (0.0, 0.0), (-5.0, 0.0), (None, math.inf)]
)
def test_the_age_of_a_batch_is_never_negative(job: Job, seconds_ago: float | None, age: float) -> None:
    assert age_of(batch_of(job, seconds_ago)) == age


def test_the_next_worker_counts_from_when_the_batch_was_sent(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 1_000.0)
    flight = sent(batch_of(job, 30.0, size=7)).flight
    assert (flight.sent_at, flight.size, flight.progress) == (970.0, 7, 0.0)


def test_only_items_with_changes_of_their_own_are_sent_with_them(job: Job) -> None:
    common, own = batch_of(job, 1.0, change={"add": ["vip"]}), batch_of(job, 1.0, change=None)
    for batch, first in ((common, 3), (own, 5)):
        factories.item(job, first + 1, "pending", batch=batch, before={"tags": ["a"]}, change={"set": ["b"]})
        factories.item(job, first, "pending", batch=batch, before=None, change=None)
        factories.item(job, first + 10, "changed", batch=batch)
    assert sendables_of(common) == [Sendable(3), Sendable(4)]
    assert sendables_of(own) == [Sendable(5, {}, {}), Sendable(6, {"tags": ["a"]}, {"set": ["b"]})]
