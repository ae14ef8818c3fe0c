"""When to ask about what is in flight: seldom, and yet soon after something is done.

Each question costs a call, and each moment that a finished batch lies unnoticed leaves its place empty. So we
ask when a good third of what is in flight should be done, by what the batches before took. Before any was seen
to end we feel our way: soon first, then at twice the age each time, or when the progress told says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

#: The shape of a batch's time, from recorded bulk updates (zenpy's cassettes, 2023: one ticket 2 s, 50 tickets
#: 5 s, 100 tickets 10 s): a fixed part and a part per item. Only the proportion counts; the scale is learned.
FIXED, PER_ITEM = 1.0, 0.09
#: Part of what is in flight that should be done when we ask.
PART_DONE = 0.4
#: The first question about a first batch, seconds after it was sent.
FIRST_LOOK = 0.2
#: Never two questions within this many seconds, and after a fruitless one not within this part of the usual time.
SHORTEST, FRUITLESS_PART = 0.02, 0.05
#: However slow the other side is, ask at least this often, seconds.
LONGEST = 30.0
#: How the estimate follows: the due ones were done; others were too (at most so much lower at once); some due
#: ones were not.
LOWER, MUCH_LOWER, HIGHER = 0.99, 0.85, 1.06


@dataclass(frozen=True, slots=True)
class Flight:
    """One batch under way; times are seconds of one monotonic clock."""

    sent_at: float
    size: int
    progress: float = 0.0  # part of it that is done, as far as the other side tells


def weight(size: int) -> float:
    return FIXED + PER_ITEM * size


class Pace:
    """Learns how long batches take and says when to ask next."""

    def __init__(self, seconds_per_weight: float | None = None) -> None:
        self._scale = seconds_per_weight
        self._asked_at = -math.inf
        self._fruitless = 0

    def expected(self, flight: Flight) -> float:
        """When this batch should be done; before anything is known: when to have a first look."""
        if self._scale is not None:
            return flight.sent_at + self._scale * weight(flight.size)
        age = max(self._asked_at - flight.sent_at, 0.0)
        guess = max(FIRST_LOOK, 2 * age)
        if flight.progress > 0:
            guess = min(guess, max(age / flight.progress, 1.05 * age))
        return flight.sent_at + guess

    def next_question(self, flights: Sequence[Flight]) -> float:
        """When to ask about them; infinity when there are none."""
        if not flights:
            return math.inf
        due = sorted(self.expected(flight) for flight in flights)
        wanted = due[math.ceil(len(due) * PART_DONE) - 1]
        return min(max(wanted, self._soonest()), self._asked_at_or(flights) + LONGEST)

    def learn(self, now: float, done: Sequence[Flight], under_way: Sequence[Flight]) -> None:
        """What a question at `now` found."""
        late = [flight for flight in under_way if self.expected(flight) <= now]
        early = [flight for flight in done if self.expected(flight) > now]
        if done:
            self._fruitless = 0
            if self._scale is None:
                self._scale = max(_seen(flight, now) for flight in done)
            elif early:
                self._scale = max(self._scale * MUCH_LOWER, min(_seen(flight, now) for flight in early))
            elif not late:
                self._scale *= LOWER
        else:
            self._fruitless += 1
        if late and self._scale is not None:
            self._scale *= HIGHER
        self._asked_at = now

    def _soonest(self) -> float:
        if self._scale is None:
            return self._asked_at + SHORTEST
        pause = FRUITLESS_PART * self._scale * weight(100) * self._fruitless
        return self._asked_at + max(SHORTEST, pause)

    def _asked_at_or(self, flights: Sequence[Flight]) -> float:
        return max(self._asked_at, min(flight.sent_at for flight in flights))


def _seen(flight: Flight, now: float) -> float:
    """Seconds per weight that the batch took at the most."""
    return (now - flight.sent_at) / weight(flight.size)
