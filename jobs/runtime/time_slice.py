"""How long, and how far, a worker goes on with one job before it puts it down."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from jobs.runtime import shutdown, wakeups

#: A turn is made longer when less than so much is left of it, by so much, seconds: before what needs time to
#: come to its end is not begun any more.
EXTEND_BELOW, EXTEND_BY = 2.5, 5.0
#: Whether others wait is looked at so often at most, seconds.
QUEUE_CHECK_INTERVAL = 0.5


@dataclass(slots=True)
class TimeSlice:
    """One worker's turn at one job."""

    until: float  # a moment of `time.monotonic`
    max_items: int | None = None  # a longer list than this is left to a worker in the background
    on_step: Callable[[], None] | None = None  # called at every step, such as to show progress
    alone_until: float = 0.0  # it lasts so long while no other job waits for a worker
    _checked_at: float = 0.0

    @property
    def left(self) -> float:
        """Seconds until the turn is over; not negative."""
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
        """Its time is up, or the process is about to stop."""
        return not self.left or shutdown.is_requested()

    def allows(self, items: int) -> bool:
        """Whether a list of so many items may be worked on in this turn."""
        return self.max_items is None or items <= self.max_items

    def notify(self) -> None:
        if self.on_step:
            self.on_step()
