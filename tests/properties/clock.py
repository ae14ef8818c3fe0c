"""A clock that moves only when the code under test sleeps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import time_machine

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
#: Seconds. A loop that sleeps for 0 seconds still moves the clock, so it ends.
SHORTEST_SLEEP = 0.001


class Clock:
    """Replaces the module `time` in the modules under test, and the time of day everywhere."""

    def __init__(self, on_sleep: Callable[[], None]) -> None:
        self._on_sleep = on_sleep
        self._travel = time_machine.travel(START, tick=False)
        self._hand = self._travel.start()
        self._seconds = 0.0

    def stop(self) -> None:
        self._travel.stop()

    def move(self, seconds: float) -> None:
        self._hand.shift(seconds)
        self._seconds += seconds

    def monotonic(self) -> float:
        return 1000.0 + self._seconds

    def time(self) -> float:
        return START.timestamp() + self._seconds

    def sleep(self, seconds: float) -> None:
        self.move(max(seconds, SHORTEST_SLEEP))
        self._on_sleep()
