"""Tickets a minute over several jobs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import time_machine
from pytest_django import DjangoAssertNumQueries

from jobs.presentation.pulse_chart import HEIGHT, Bar, pulse_chart
from jobs.reports.pulse import MINUTES, Pulse, pulse_of
from jobs.states import BatchState, Status
from tests import factories

NOW = datetime(2026, 11, 30, 12, 0, 30, tzinfo=UTC)


@time_machine.travel(NOW, tick=False)
def test_batches_count_in_the_minute_in_which_they_settled(
    db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    first, second, other = (factories.job(Status.RUNNING, total=1_000) for _ in range(3))
    for job, ago, size in (
        (first, 10, 100),
        (second, 20, 40),
        (first, 90, 7),
        (first, 3_600, 9),
        (other, 5, 3),
    ):
        at = NOW - timedelta(seconds=ago)
        factories.batch(job, size=size, sent_at=at, settled_at=at)
    factories.batch(first, BatchState.SETTLED, size=50, sent_at=None)  # nothing of it was sent
    factories.batch(second, BatchState.SENT, size=10)
    factories.batch(second, BatchState.SENDING, size=10)
    factories.batch(second, BatchState.PENDING, size=10)
    with django_assert_num_queries(2):
        pulse = pulse_of([first.pk, second.pk])
    assert pulse == Pulse((*[0] * (MINUTES - 2), 7, 140), in_flight=2)


def test_the_chart_shows_even_a_slow_minute() -> None:
    chart = pulse_chart(Pulse((0, 1, 1_000, *[0] * (MINUTES - 3)), in_flight=0))
    assert chart is not None
    assert chart.bars == (Bar(20.0, HEIGHT - 2, 2), Bar(40.0, 0, HEIGHT))
    assert chart.words == "Tickets a minute over the last 30 minutes; at most 1,000."


def test_there_is_no_chart_of_nothing() -> None:
    assert pulse_chart(Pulse((0,) * MINUTES, in_flight=3)) is None
