"""How long a worker works on one job before it puts it down."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from jobs.runtime import shutdown, wakeups

#: A time slice with less left than the first value is extended by the second, seconds. That is early enough
#: for work that is not begun in the last seconds.
EXTEND_BELOW, EXTEND_BY = 2.5, 5.0
#: The least time between two checks for waiting jobs, seconds.
QUEUE_CHECK_INTERVAL = 0.5


@dataclass(slots=True)
class TimeSlice:
    """The time that one worker has for one job."""

    until: float  # a moment of `time.monotonic`
    max_items: int | None = None  # a longer list is left to a background worker
    on_step: Callable[[], None] | None = None  # called at every step, for example to show progress
    call_until: float = math.inf  # when calls give up, those under way too; a moment of `time.monotonic`
    alone_until: float = 0.0  # how far it is extended while no other job waits for a worker
    _checked_at: float = 0.0

    @property
    def left(self) -> float:
        """Seconds until the time slice is over; not negative."""
        now = time.monotonic()
        if (
            self.until - now < EXTEND_BELOW
            and self.until < self.alone_until
            and now > self._checked_at + QUEUE_CHECK_INTERVAL
        ):
            self._checked_at = now
            if wakeups.is_queue_idle():
                self.until = min(max(self.until, now) + EXTEND_BY, self.alone_until)
        return max(self.until - now, 0.0)

    @property
    def is_over(self) -> bool:
        """Whether the time is up, or the process has been asked to stop."""
        return not self.left or shutdown.is_requested()

    def is_over_by(self, seconds: float) -> bool:
        """As `is_over`, with as many more seconds to finish something; none where the process is to stop."""
        return self.is_over and (shutdown.is_requested() or time.monotonic() >= self.until + seconds)

    def allows(self, items: int) -> bool:
        """Whether a list of this many items may be worked on here."""
        return self.max_items is None or items <= self.max_items

    def notify(self) -> None:
        if self.on_step:
            self.on_step()
