"""The time that all processes share, whatever the clocks of their hosts say: the database's.

Beats, leases, waits and readings are stored by one host and judged by another. By their own clocks, two hosts
a minute apart would take each other's jobs. So each process compares its clock with the database's, now and
then and whenever its own was set, and adds the difference.
"""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import DatabaseError, connections
from django.utils import timezone

from jobs.clocks import database_clock
from jobs.clocks.database_clock import Comparison
from jobs.common.formatting import duration

logger = logging.getLogger(__name__)

#: How often the clocks are compared, and tried to be while the database does not answer, seconds.
COMPARE_EVERY, TRY_AGAIN_AFTER = 30.0, 1.0
#: A clock that moved by more against the monotonic one was set, or the machine slept; seconds.
STEP = 1.0
#: A difference that is smaller, apart from what the comparison may be wrong by, is none: on one machine the
#: shared time is exactly the host's. Seconds.
JITTER = 0.05
#: Offset above which pages and the log mention a clock, and the interval between log lines; seconds.
LARGE, LOG_EVERY = 5.0, 3600.0


@dataclass(frozen=True, slots=True)
class _Known:
    """What this process knows of the clocks; moments are of `time.monotonic`."""

    offset: float = 0.0  # seconds that the database's clock is ahead of the host's
    compared_at: float = -math.inf
    failed_at: float = -math.inf
    host_ahead: float = 0.0  # of the monotonic clock, when they were compared; seconds
    stepped_at: float = -math.inf  # when the shared time was last found to have moved in a step
    logged: float = 0.0  # the offset that was logged last
    logged_at: float = -math.inf


_known = _Known()


def now() -> datetime:
    """The shared time; every time that is stored, or compared with a stored one, is of this clock.

    It may ask the database. While that does not answer, it goes on with the last known difference.
    """
    return timezone.now() + timedelta(seconds=offset())


def offset() -> float:
    """How many seconds the shared time is ahead of this host's clock."""
    _compare_if_due()
    return _known.offset


def host_is_ahead() -> float:
    """How many seconds this host's clock is ahead of the database's, for people."""
    return -offset()


def steady_for() -> float:
    """For how many seconds the shared time has gone on evenly, as far as this process knows.

    For shorter than that, the age of a beat is not known: the clock was set, or all machines slept.
    """
    _compare_if_due()
    return time.monotonic() - _known.stepped_at


def refresh() -> None:
    """Compare the clocks now, before something that cannot be taken back is decided by them.

    The database's own clock may have been set, or another server have taken its place.
    """
    global _known  # noqa: PLW0603 - each process has one clock
    try:
        found = database_clock.compare()
    except DatabaseError:  # who asks for the time does so for a query, which meets the same error
        _known = replace(_known, failed_at=time.monotonic())
        return
    _known = _log(_after(_known, found))


def describe(ahead: float, whose: str = "The clock of this host") -> str:
    """A sentence about a clock this many seconds ahead; "" if the offset is small."""
    if abs(ahead) < LARGE:
        return ""
    how_far = f"{duration(round(abs(ahead)))} {'ahead of' if ahead > 0 else 'behind'}"
    return (
        f"{whose} is {how_far} the database's. Jobs go by the database's clock; have the clocks of all hosts "
        "set by NTP."
    )


def _compare_if_due() -> None:
    moment = time.monotonic()
    if moment - _known.failed_at < TRY_AGAIN_AFTER or connections["default"].needs_rollback:
        return
    was_set = abs(time.time() - moment - _known.host_ahead) > STEP
    if was_set or moment - _known.compared_at >= COMPARE_EVERY:
        refresh()


def _after(known: _Known, found: Comparison) -> _Known:
    is_same = abs(found.offset - known.offset) <= found.error + JITTER
    offset, host_ahead = known.offset if is_same else found.offset, found.host - found.at
    was_compared = known.compared_at > -math.inf
    stepped = was_compared and abs((host_ahead + offset) - (known.host_ahead + known.offset)) > STEP
    return replace(
        known,
        offset=offset,
        compared_at=found.at,
        host_ahead=host_ahead,
        stepped_at=time.monotonic() if stepped else known.stepped_at,
    )


def _log(known: _Known) -> _Known:
    is_new = abs(known.offset - known.logged) > STEP
    is_due = abs(known.offset) >= LARGE and known.compared_at - known.logged_at >= LOG_EVERY
    if not is_new and not is_due:
        return known
    if sentence := describe(-known.offset):
        logger.warning(sentence)
    elif abs(known.logged) >= LARGE:
        logger.info("The clock of this host agrees with the database's again")
    return replace(known, logged=known.offset, logged_at=known.compared_at)
