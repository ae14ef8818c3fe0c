"""When to poll what is in flight: rarely, and yet soon after something has finished.

Each poll costs a call, and a finished batch keeps its slot empty until a poll notices it. So every batch
pays for a part of a poll, and a poll is due when it is paid for and enough batches should have finished. When
that is follows from earlier batches, of this job or of one before it. Before anything is known, polls grow
apart with the age of the batch, until the first progress shows how long it takes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

#: The fixed part of a batch's time, as a number of items that take as long (recorded bulk updates, zenpy's
#: cassettes of 2023: 1 ticket 2 s, 50 tickets 5 s, 100 tickets 10 s).
OVERHEAD_ITEMS = 11.0
#: Polls that one batch pays for, and polls that a job may make before any batch has paid. The design allows
#: 40 for 100 batches: 33 and 7.
POLLS_PER_BATCH, POLLS_AT_START = 0.33, 7.0
#: How exactly a batch's time can be known, as a part of it. Batches due within it share a poll, a poll that
#: finds nothing delays the next by it, and each poll widens by it what was learned: the other side may have
#: become faster or slower. With half as much more polls find nothing, with twice as much slots stay empty.
TOLERANCE = 0.02
#: A batch that outlasts what was expected, or of which nothing is known, is polled again at this multiple of
#: its age. Less costs polls; at 2, a finished batch could lie unnoticed for as long as it took.
GROWTH = 1.5
#: The least age of a batch at its first poll, and the least time after a poll that found nothing, seconds:
#: about what a poll itself takes.
SHORTEST = 0.1
#: Batches that are expected to take less, by earlier ones, are polled at once, seconds: most of that time was
#: ours, from the receipt to the end of the settlement, and only an early poll can tell how much.
QUICK = 0.3
#: The most time between two polls, seconds: a batch that hangs is still noticed within half a minute.
LONGEST = 30.0


@dataclass(frozen=True, slots=True)
class Flight:
    """One batch under way; times are seconds of one monotonic clock."""

    sent_at: float
    size: int  # items
    progress: float = 0.0  # the part that is done, 0 to 1, as far as the other side reports it


def effective_size(items: float) -> float:
    """The size that a batch's time is proportional to: its items and the overhead."""
    return items + OVERHEAD_ITEMS


class PollSchedule:
    """Learns how long batches take and decides when to poll next.

    `pace` is the time of earlier batches, in seconds per effective item. A worker that takes a job over also
    passes how many of its batches have settled, and how many polls were made.
    """

    def __init__(self, pace: float | None = None, *, settled: int = 0, polls: int = 0) -> None:
        self._expected = pace
        # Seconds per effective item: a batch takes longer than `_least`, and no longer than `_most`.
        self._least = 0.0
        self._most = math.inf
        self._polled_at = -math.inf
        self._fruitless = 0  # polls in a row that found nothing finished
        self._credit = POLLS_AT_START + POLLS_PER_BATCH * settled - polls

    def next_poll(self, flights: Sequence[Flight]) -> float:
        """When to poll these; infinity when there are none."""
        if not flights:
            return math.inf
        pace = self._pace
        due = sorted(
            flight.sent_at + self._first_age(pace * effective_size(flight.size)) for flight in flights
        )
        tolerance = TOLERANCE * pace * effective_size(100)
        together = due[self._batches_to_await(len(due)) - 1] + tolerance
        last = max(moment for moment in due if moment <= together)
        earliest = self._polled_at
        if self._fruitless:
            earliest += max(SHORTEST, tolerance * self._fruitless)
        latest = max(self._polled_at, min(flight.sent_at for flight in flights)) + LONGEST
        return min(max(last, earliest), latest)

    def _first_age(self, expected: float) -> float:
        """How old a batch has to be, in seconds, that is expected to take so long."""
        is_quick = self._expected is not None and self._most == math.inf and expected <= QUICK
        return 0.0 if is_quick and not self._fruitless else max(SHORTEST, expected)

    def learn(self, now: float, done: Sequence[Flight], under_way: Sequence[Flight]) -> None:
        """Take in what a poll at `now` found."""
        # A finished batch took at most its age now, and more than its age at the last poll. One under way
        # takes more than its age now.
        most = min((_pace(flight, now) for flight in done), default=math.inf)
        least = max(
            (
                *(_pace(flight, self._polled_at) for flight in done),
                *(_pace(flight, now) for flight in under_way),
            ),
            default=0.0,
        )
        if least >= most:  # batches differ among themselves: the truth for all lies between
            least, most = most, least
        self._least = min(max(self._least / (1 + TOLERANCE), least), most)
        self._most = max(min(self._most * (1 + TOLERANCE), most), least)
        self._fruitless = 0 if done else self._fruitless + 1
        self._credit = min(self._credit - 1 + POLLS_PER_BATCH * len(done), POLLS_AT_START)
        self._polled_at = now
        furthest = max(under_way, key=lambda flight: flight.progress, default=None)
        if furthest and furthest.progress:
            done_items = furthest.size * furthest.progress
            self._expected = (now - furthest.sent_at) / effective_size(done_items)

    @property
    def _pace(self) -> float:
        """The seconds per effective item after which a batch is polled."""
        if self._most < math.inf:
            # The middle narrows down what is open; without credit for misses, the safe end.
            return (self._least + self._most) / 2 if self._credit >= 1 else self._most
        if self._expected is not None and self._expected > self._least:
            return self._expected
        return GROWTH * self._least

    def _batches_to_await(self, flights: int) -> int:
        """How many batches have to finish until the next poll is paid for."""
        if self._expected is None and self._most == math.inf:
            return 1  # any answer teaches something
        return min(max(math.ceil((1 - self._credit) / POLLS_PER_BATCH), 1), flights)


def _pace(flight: Flight, now: float) -> float:
    """The batch's age at that time in seconds per effective item."""
    return max(now - flight.sent_at, 0.0) / effective_size(flight.size)
