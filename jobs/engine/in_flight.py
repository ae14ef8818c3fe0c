"""One batch in flight, from the call that sends it until it is settled."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from datetime import datetime

from jobs.clocks import clock
from jobs.engine.pacing.poll_schedule import Flight
from jobs.engine.read_back import Reading, Results
from jobs.engine.settlement import open_items
from jobs.models import Batch
from jobs.work import Answer, PendingCall, Receipt, Sendable, Snapshot, Verdict


@dataclass(frozen=True, slots=True)
class Calling:
    """The call that sends the batch is under way."""

    call: PendingCall[Receipt]


@dataclass(frozen=True, slots=True)
class Sent:
    """The other side has the batch, and its receipt is stored."""

    flight: Flight


@dataclass(frozen=True, slots=True)
class Answered:
    """The other side has finished the batch; its items have no outcome yet."""

    answer: Answer
    succeeded: bool  # every result that was named is good
    is_over: bool | None = None  # see `Settler.settle`
    #: Items that were reported as changed did not show it. They are read once more, at that moment of
    #: `time.monotonic` at the earliest: the other side may be slow to show a change. None: no such items.
    second_look_at: float | None = None


@dataclass(frozen=True, slots=True)
class ReadingBack:
    """The items of an answered batch are being read, to see what became of them."""

    answered: Answered
    call: PendingCall[dict[int, Snapshot]]
    at: datetime


@dataclass(frozen=True, slots=True)
class Checking:
    """The items have been read; the records of some that do not show their change are looked up."""

    answered: Answered
    reading: Reading


@dataclass(frozen=True, slots=True)
class Lost:
    """The batch may have been sent, and no receipt is known: it must be found before it is sent again."""

    since: float  # a moment of `time.monotonic`


Phase = Calling | Sent | Answered | ReadingBack | Checking | Lost


@dataclass(eq=False, slots=True)
class InFlight:
    """A batch that takes up a slot at the other side, as this worker follows it."""

    batch: Batch
    phase: Phase
    kinds: frozenset[str] | None = None  # of its changes (`Work.kind_of`); None: look at its items
    results: Results | None = None  # of its items, once it is answered

    @property
    def is_read_back(self) -> bool:
        return isinstance(self.phase, ReadingBack | Checking)

    @property
    def is_refused(self) -> bool:
        """Most of its items were refused, so it may open the circuit breaker once it is settled."""
        if self.results is None:
            return False
        refused = len(self.results.keys(Verdict.REFUSED)) + len(self.results.keys(Verdict.UNEXPLAINED))
        return 2 * refused > len(self.results.by_key)

    @property
    def is_doubted(self) -> bool:
        """The second look: items that were reported as changed did not show it."""
        answered = self.phase if isinstance(self.phase, Answered) else getattr(self.phase, "answered", None)
        return isinstance(answered, Answered) and answered.second_look_at is not None


def sent(batch: Batch) -> Sent:
    """The phase of a batch whose receipt is known."""
    return Sent(Flight(time.monotonic() - age_of(batch), batch.size))


def age_of(batch: Batch) -> float:
    """Seconds since the batch was sent; never negative, even when the clock was set back."""
    if batch.sent_at is None:
        return math.inf
    return max((clock.now() - batch.sent_at).total_seconds(), 0.0)


def sendables_of(batch: Batch) -> list[Sendable]:
    """The open items of the batch as `Work.send` takes them, in the order in which they are sent."""
    if batch.change is not None:
        return [Sendable(ref) for ref in open_items(batch).values_list("ref", flat=True)]
    return [
        Sendable(ref, before or {}, change or {})
        for ref, before, change in open_items(batch).values_list("ref", "before", "change")
    ]
