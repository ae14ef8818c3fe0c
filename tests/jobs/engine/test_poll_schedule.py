"""When to ask, played through on a clock of its own against a service with known delays."""

from __future__ import annotations

import heapq
from dataclasses import replace
from itertools import pairwise

import pytest

from jobs.engine.poll_schedule import Flight, PollSchedule, weight

SEND, ASK = 0.15, 0.05  # seconds that a call takes
OWN = 0.03  # seconds that our own work on a batch takes; calls that send are made side by side


def play(
    *, batches: int, places: int, scale: float, hint: float | None = None, tells_progress: bool = True
) -> tuple[float, int]:
    """Send so many batches of a hundred through so many places; the wall time and the number of questions."""
    now, sent, questions = 0.0, 0, 0
    pace, takes = PollSchedule(hint), SEND + scale * weight(100)
    under_way: list[Flight] = []
    while sent < batches or under_way:
        while sent < batches and len(under_way) < places:
            now += OWN
            under_way.append(Flight(now, 100))
            sent += 1
        now = max(now, pace.next_poll(under_way)) + ASK
        questions += 1
        done = [flight for flight in under_way if flight.sent_at + takes <= now]
        under_way = [
            replace(flight, progress=(now - flight.sent_at) / takes if tells_progress else 0.0)
            for flight in under_way
            if flight not in done
        ]
        pace.learn(now, done, under_way)
    return now, questions


def ideal(*, batches: int, places: int, scale: float) -> float:
    """The wall time of one who notices at once, without asking, that a place is free."""
    now, free = 0.0, [0.0] * places
    for _ in range(batches):
        now = max(now, heapq.heappop(free)) + OWN
        heapq.heappush(free, now + SEND + scale * weight(100))
    return max(free)


#: What is known at the start, and what that leaves to lose.
KNOWN = {
    "the time of batches before": (1.15, True, True),
    "the progress as it is told": (1.2, False, True),
    "nothing": (1.3, False, False),
}


@pytest.mark.parametrize("known", KNOWN)
@pytest.mark.parametrize("scale", [0.1, 1.0, 3.0])
@pytest.mark.parametrize("places", [10, 25, 30])
def test_ten_thousand_tickets_take_at_most_forty_questions_and_hardly_longer_than_they_must(
    places: int, scale: float, known: str
) -> None:
    most, has_hint, tells_progress = KNOWN[known]
    hint = scale + SEND / weight(100) if has_hint else None
    took, questions = play(batches=100, places=places, scale=scale, hint=hint, tells_progress=tells_progress)
    assert questions <= 40
    assert took <= most * ideal(batches=100, places=places, scale=scale)


def test_the_longer_a_job_the_nearer_it_comes_to_the_ideal() -> None:
    took, questions = play(batches=1000, places=10, scale=1.0)
    assert questions <= 345
    assert took <= 1.12 * ideal(batches=1000, places=10, scale=1.0)


def test_a_service_that_answers_at_once_is_not_waited_for() -> None:
    took, _ = play(batches=100, places=10, scale=0.0)
    assert took <= 10 * SEND + 100 * OWN + 100 * ASK / 2


def test_a_batch_that_takes_for_ever_is_asked_about_twice_a_minute() -> None:
    pace, stuck = PollSchedule(1.0), Flight(0.0, 100)
    asked = []
    for _ in range(20):
        asked.append(pace.next_poll([stuck]))
        pace.learn(asked[-1], [], [stuck])
    assert max(later - earlier for earlier, later in pairwise(asked[5:])) <= 30.001


def test_a_worker_that_takes_over_need_not_learn_anew() -> None:
    pace = PollSchedule(0.5, settled=100, asked=30)
    assert pace.next_poll([Flight(100.0, 100)]) == pytest.approx(100.0 + 0.5 * weight(100))
