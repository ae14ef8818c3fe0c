"""The clocks of a test run.

Tests move the clock of their process, and the database's goes with it. Processes that a test starts compare
the real ones, and so does a test that asks for them (`compared`).
"""

from __future__ import annotations

import math
import time

import pytest

from jobs.clocks import clock, database_clock
from jobs.clocks.database_clock import Comparison

_COMPARE, _STEP = database_clock.compare, clock.STEP


def tie_to_process() -> None:
    """The database's clock is the one of this process, and is never taken to have been set."""
    database_clock.compare = by_host(0.0)
    clock.STEP = math.inf


def by_host(offset: float, error: float = 0.0) -> database_clock.Compare:
    """A comparison that finds the database's clock so far ahead of the host's."""
    return lambda: Comparison(time.monotonic(), time.time(), offset, error)


def compared(patch: pytest.MonkeyPatch, compare: database_clock.Compare = _COMPARE) -> None:
    """Until the end of `patch`, this process compares its clock, as one that has just started."""
    patch.setattr(database_clock, "compare", compare)
    patch.setattr(clock, "STEP", _STEP)
    patch.setattr(clock, "_known", clock._Known())
