"""When to ask about what is in flight: seldom, and yet soon after something is done.

Each question costs a call, and each moment that a finished batch lies unnoticed leaves its place empty. So
every batch pays a part of a question, and we ask as soon as one is paid for and something should be done, by
what the batches before took. Before any was seen to end we feel our way: soon first, then at twice the age
each time, or when the progress told says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

#: The shape of a batch's time: a fixed part and a part per item (recorded bulk updates, zenpy's cassettes of
#: 2023: 1 ticket 2 s, 50 tickets 5 s, 100 tickets 10 s). Only the proportion counts; the scale is learned.
FIXED, PER_ITEM = 1.0, 0.09
#: What one batch pays of a question, and what a job has at its start: 40 questions for 100 batches.
PER_BATCH, AT_START = 0.33, 7.0
#: Done within this part of the usual time of each other counts as done at once: worth the wait.
TOGETHER = 0.01
#: The first question about a first batch, seconds after it was sent.
FIRST_LOOK = 0.2
#: Least seconds between two questions; after a fruitless one, least part of the usual time.
SHORTEST, FRUITLESS_PART = 0.02, 0.05
#: However slow the other side is, ask at least this often, seconds.
LONGEST = 30.0
#: By so much what was learned before loses its edge with each question.
FADES = 1.02


@dataclass(frozen=True, slots=True)
class Flight:
    """One batch under way; times are seconds of one monotonic clock."""

    sent_at: float
    size: int
    progress: float = 0.0  # part of it that is done, as far as the other side tells


def weight(size: int) -> float:
    """How long a batch of this size takes, in proportion to others."""
    return FIXED + PER_ITEM * size


class Pace:
    """Learns how long batches take and says when to ask next.

    A worker that takes a job over gives what was learned (seconds per weight), how many of its batches have
    settled and how many questions were asked about them.
    """

    def __init__(self, seconds_per_weight: float | None = None, *, settled: int = 0, asked: int = 0) -> None:
        # A batch takes longer than `_least`, and not longer than `_most`, seconds per weight.
        self._least = 0.0
        self._most = seconds_per_weight or math.inf
        self._asked_at = -math.inf
        self._fruitless = 0
        self._credit = AT_START + PER_BATCH * settled - asked

    def expected(self, flight: Flight) -> float:
        """When this batch should be done; before anything is known: when to have a first look."""
        if self._is_known:
            return flight.sent_at + self._guess * weight(flight.size)
        age = max(self._asked_at - flight.sent_at, 0.0)
        look = max(FIRST_LOOK, 2 * age)
        if flight.progress > 0:
            look = min(look, max(age / flight.progress, 1.05 * age))
        return flight.sent_at + look

    def next_question(self, flights: Sequence[Flight]) -> float:
        """When to ask about them; infinity when there are none."""
        if not flights:
            return math.inf
        due = sorted(self.expected(flight) for flight in flights)
        place = min(max(math.ceil((1 - self._credit) / PER_BATCH) - 1, 0), len(due) - 1)
        if self._is_known:
            while place + 1 < len(due) and due[place + 1] - due[place] < TOGETHER * self._usual:
                place += 1
        at_least_since = max(self._asked_at, min(flight.sent_at for flight in flights))
        return min(max(due[place], self._soonest()), at_least_since + LONGEST)

    def learn(self, now: float, done: Sequence[Flight], under_way: Sequence[Flight]) -> None:
        """What a question at `now` found."""
        # A batch that is done took at most its age, and more than its age when we last asked; one that is
        # not done takes more than its age.
        least = max(
            max((_scale(flight, self._asked_at) for flight in done), default=0.0),
            max((_scale(flight, now) for flight in under_way), default=0.0),
        )
        most = min((_scale(flight, now) for flight in done), default=math.inf)
        if least >= most:  # they differ among themselves: one guess for all, between
            least, most = most, least
        # What was seen before fades, so that the guess follows when the other side gets quicker or slower.
        self._least = min(max(self._least / FADES, least), most)
        self._most = max(min(self._most * FADES, most), least)
        self._fruitless = 0 if done else self._fruitless + 1
        self._credit = min(self._credit - 1 + PER_BATCH * len(done), AT_START)
        self._asked_at = now

    @property
    def _is_known(self) -> bool:
        return self._most < math.inf

    @property
    def _guess(self) -> float:
        """Seconds per weight: to halve what is uncertain while there is credit for it, else to be safe."""
        return (self._least + self._most) / 2 if self._credit >= 1 else self._most

    @property
    def _usual(self) -> float:
        """Seconds for a full batch."""
        return self._guess * weight(100) if self._is_known else 0.0

    def _soonest(self) -> float:
        return self._asked_at + max(SHORTEST, FRUITLESS_PART * self._usual * self._fruitless)


def _scale(flight: Flight, now: float) -> float:
    """The batch's age at that time in seconds per weight."""
    return max(now - flight.sent_at, 0.0) / weight(flight.size)
