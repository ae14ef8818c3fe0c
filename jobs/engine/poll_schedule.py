"""When to ask about what is in flight: seldom, and yet soon after something is done.

Each question costs a call, and each moment that a finished batch lies unnoticed leaves its place empty. So
every batch pays a part of a question, and we ask as soon as one is paid for and something should be done, by
what the batches before took, of this job or of one before it. Before anything is known we feel our way: soon
first, then at a multiple of the age each time, until the progress told says how long it will take.
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
#: Done within this part of the usual time after the first counts as done with it: worth the wait.
TOGETHER = 0.01
#: The first question about a first batch, seconds after it was sent, and how its age grows to the next.
FIRST_LOOK, LATER_LOOKS = 0.2, 1.5
#: A hint that was taken from less than this part of a batch is taken again.
HALF = 0.45
#: So much earlier than the quickest that was seen to be done it is tried, while that may be late enough.
EARLIER = 0.05
#: A batch that takes longer than hinted is expected to take by so much longer than it has by now.
LATE = 1.1
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


def weight(size: float) -> float:
    """How long so many items of a batch take, in proportion to others."""
    return FIXED + PER_ITEM * size


class PollSchedule:
    """Learns how long batches take and says when to ask next.

    A worker that begins gives a hint of what batches took before (seconds per weight); one that takes a job
    over also how many of its batches have settled and how many questions were asked about them.
    """

    def __init__(self, hint: float | None = None, *, settled: int = 0, asked: int = 0) -> None:
        # A batch takes longer than `_least`, and not longer than `_most`, seconds per weight.
        self._least = 0.0
        self._most = math.inf
        self._hint = hint
        self._part_seen = 1.0  # of the batch that the hint was taken from
        self._asked_at = -math.inf
        self._fruitless = 0
        self._credit = AT_START + PER_BATCH * settled - asked

    def next_poll(self, flights: Sequence[Flight]) -> float:
        """When to ask about them; infinity when there are none."""
        if not flights:
            return math.inf
        first = min(flight.sent_at for flight in flights)
        at_the_latest = max(self._asked_at, first) + LONGEST
        if not self._is_known:
            age = max(self._asked_at - first, 0.0)
            return min(first + max(FIRST_LOOK, LATER_LOOKS * age), at_the_latest)
        if self._most == math.inf and self._part_seen < HALF:
            # What was told of a small part says little of the whole: look again half-way.
            half = min(flight.sent_at + self._guess * weight(flight.size) * HALF for flight in flights)
            return min(max(half, self._soonest()), at_the_latest)
        due = sorted(flight.sent_at + self._guess * weight(flight.size) for flight in flights)
        place = min(max(math.ceil((1 - self._credit) / PER_BATCH) - 1, 0), len(due) - 1)
        together = due[place] + TOGETHER * self._usual
        last = max(moment for moment in due if moment <= together)
        return min(max(last, self._soonest()), at_the_latest)

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
        told = [flight for flight in under_way if flight.progress > 0]
        if told:
            furthest = max(told, key=lambda flight: flight.progress)
            self._hint = (now - furthest.sent_at) / weight(furthest.size * furthest.progress)
            self._part_seen = furthest.progress

    @property
    def _is_known(self) -> bool:
        return self._most < math.inf or self._hint is not None

    @property
    def _guess(self) -> float:
        """Seconds per weight: to narrow down what is open while there is credit for it, else to be safe."""
        least, most = self._least, self._most
        if most < math.inf:
            return max((least + most) / 2, (1 - EARLIER) * most) if self._credit >= 1 else most
        return self._hint if self._hint and self._hint > least else LATE * least

    @property
    def _usual(self) -> float:
        """Seconds for a full batch."""
        return self._guess * weight(100)

    def _soonest(self) -> float:
        return self._asked_at + max(SHORTEST, FRUITLESS_PART * self._usual * self._fruitless)


def _scale(flight: Flight, now: float) -> float:
    """The batch's age at that time in seconds per weight."""
    return max(now - flight.sent_at, 0.0) / weight(flight.size)
