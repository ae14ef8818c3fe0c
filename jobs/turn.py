"""How long, and how far, a worker goes on with one job before it puts it down."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from jobs import stopping


@dataclass(frozen=True, slots=True)
class Turn:
    """One worker's turn at one job."""

    until: float  # a moment of `time.monotonic`
    most: int | None = None  # a longer list than this is left to a worker in the background
    tick: Callable[[], None] | None = None  # called at every step, such as to show progress

    @property
    def left(self) -> float:
        """Seconds until the turn is over; not negative."""
        return max(self.until - time.monotonic(), 0.0)

    @property
    def is_over(self) -> bool:
        """Its time is up, or the process is about to stop."""
        return not self.left or stopping.is_asked()

    def allows(self, items: int) -> bool:
        """Whether a list of so many items may be worked on in this turn."""
        return self.most is None or items <= self.most

    def tell(self) -> None:
        if self.tick:
            self.tick()
