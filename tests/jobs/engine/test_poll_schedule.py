"""When to poll, simulated on a clock of its own against a service with known delays."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from jobs.engine.poll_schedule import Flight, PollSchedule, effective_size

SEND, POLL = 0.15, 0.05  # seconds that a call takes
OWN = 0.03  # seconds that our own work on a batch takes; calls that send are made at the same time
FULL = 10.0  # seconds that a batch of a hundred takes at the recorded speed, which is scale 1


def simulate(
    *,
    batches: int,
    slots: int,
    scale: float | Callable[[int], float],
    pace: float | None = None,
    reports_progress: bool = True,
) -> tuple[float, int]:
    """Send batches of a hundred through the slots: the wall time and the number of polls.

    `scale` may depend on the number of the batch.
    """
    scale_of = scale if callable(scale) else lambda _: scale
    now, sent, polls = 0.0, 0, 0
    schedule = PollSchedule(pace)
    under_way: list[Flight] = []
    takes: dict[float, float] = {}  # by the moment of sending, which no two batches share
    while sent < batches or under_way:
        while sent < batches and len(under_way) < slots:
            now += OWN
            under_way.append(Flight(now, 100))
            takes[now] = SEND + scale_of(sent) * FULL
            sent += 1
        now = max(now, schedule.next_poll(under_way)) + POLL
        polls += 1
        done = [flight for flight in under_way if flight.sent_at + takes[flight.sent_at] <= now]
        under_way = [
            replace(
                flight,
                progress=(now - flight.sent_at) / takes[flight.sent_at] if reports_progress else 0.0,
            )
            for flight in under_way
            if flight not in done
        ]
        schedule.learn(now, done, under_way)
    return now, polls


def ideal(*, batches: int, slots: int, scale: float | Callable[[int], float]) -> float:
    """The wall time if every free slot were noticed at once, without a poll."""
    scale_of = scale if callable(scale) else lambda _: scale
    now, free = 0.0, [0.0] * slots
    for number in range(batches):
        now = max(now, heapq.heappop(free)) + OWN
        heapq.heappush(free, now + SEND + scale_of(number) * FULL)
    return max(free)


#: What is known at the start: the most wall time as a multiple of the ideal, whether the time of earlier
#: batches is known, and whether the service reports progress.
KNOWN = {
    "the time of earlier batches": (1.15, True, True),
    "the progress it reports": (1.2, False, True),
    "nothing": (1.3, False, False),
}


@pytest.mark.parametrize("known", KNOWN)
@pytest.mark.parametrize("scale", [0.1, 1.0, 3.0])
@pytest.mark.parametrize("slots", [10, 25, 30])
def test_ten_thousand_tickets_take_at_most_forty_polls_and_little_more_than_the_ideal_time(
    slots: int, scale: float, known: str
) -> None:
    most, knows_pace, reports_progress = KNOWN[known]
    pace = (SEND + scale * FULL) / effective_size(100) if knows_pace else None
    took, polls = simulate(
        batches=100, slots=slots, scale=scale, pace=pace, reports_progress=reports_progress
    )
    assert polls <= 40
    assert took <= most * ideal(batches=100, slots=slots, scale=scale)


def test_a_long_job_comes_nearer_to_the_ideal() -> None:
    took, polls = simulate(batches=1000, slots=10, scale=1.0)
    assert polls <= 345
    assert took <= 1.05 * ideal(batches=1000, slots=10, scale=1.0)


@pytest.mark.parametrize("after", [0.6, 3.0])
def test_a_service_that_becomes_faster_or_slower_is_followed(after: float) -> None:
    def scale(number: int) -> float:
        return 1.0 if number < 200 else after

    took, polls = simulate(batches=1000, slots=10, scale=scale, reports_progress=False)
    assert polls <= 345
    assert took <= 1.15 * ideal(batches=1000, slots=10, scale=scale)


def test_a_service_that_answers_at_once_is_not_waited_for() -> None:
    took, _ = simulate(batches=100, slots=10, scale=0.0)
    assert took <= 10 * SEND + 100 * OWN + 100 * POLL / 2


def test_a_batch_that_hangs_is_polled_twice_a_minute() -> None:
    schedule, stuck = PollSchedule(0.1), Flight(0.0, 100)
    polled = []
    for _ in range(20):
        polled.append(schedule.next_poll([stuck]))
        schedule.learn(polled[-1], [], [stuck])
    assert max(later - earlier for earlier, later in pairwise(polled[5:])) <= 30.001


def test_a_worker_that_takes_over_starts_with_the_known_pace() -> None:
    schedule = PollSchedule(0.05, settled=100, polls=30)
    assert schedule.next_poll([Flight(100.0, 100)]) == pytest.approx(100.0 + 0.05 * effective_size(100))
