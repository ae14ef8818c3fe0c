"""When to ask, played through on a clock of its own against a service with known delays."""

from __future__ import annotations

import heapq
import math

import pytest

from jobs.pace import Flight, Pace, weight


def play(*, batches: int, places: int, seconds_per_weight: float, send: float = 0.15, slow_from: int = -1) -> tuple[float, int]:
    """Send so many batches of a hundred through so many places; the wall time and the number of questions."""
    now, sent, questions = 0.0, 0, 0
    pace = Pace()
    ends: dict[Flight, float] = {}
    while sent < batches or ends:
        while sent < batches and len(ends) < places:
            now += send
            scale = seconds_per_weight * (3 if 0 <= slow_from <= sent else 1)
            flight = Flight(now, 100)
            ends[flight] = now + scale * weight(100)
            sent += 1
        now = max(now, pace.next_question(list(ends)))
        questions += 1
        done = [flight for flight, end in ends.items() if end <= now]
        pace.learn(now, done, [flight for flight in ends if flight not in done])
        for flight in done:
            del ends[flight]
    return now, questions


def ideal(*, batches: int, places: int, seconds_per_weight: float, send: float = 0.15) -> float:
    """The wall time of one who notices everything at once."""
    now, free = 0.0, [0.0] * places
    last = 0.0
    for _ in range(batches):
        now = max(now, heapq.heappop(free)) + send
        last = now + seconds_per_weight * weight(100)
        heapq.heappush(free, last)
    return last


@pytest.mark.parametrize("places", [5, 10, 25, 30])
@pytest.mark.parametrize("seconds_per_weight", [0.1, 1.0, 3.0])
def test_ten_thousand_tickets_take_at_most_forty_questions_and_little_longer_than_they_must(
    places: int, seconds_per_weight: float
) -> None:
    took, questions = play(batches=100, places=places, seconds_per_weight=seconds_per_weight)
    assert took <= 1.15 * ideal(batches=100, places=places, seconds_per_weight=seconds_per_weight)
    assert questions <= (40 if places >= 10 else 60)
