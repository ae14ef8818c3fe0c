"""Times and numbers for people, rounded: precision that we do not have would mislead."""

from __future__ import annotations

from math import ceil, floor

MINUTE, HOUR, DAY = 60, 3_600, 86_400
#: An estimate is shown as a range between these factors.
LOW, HIGH = 0.9, 1.15
TO = "\N{EN DASH}"


def time_left(seconds: int) -> str:
    """An estimate as a rounded range: "about 12-14 min", "less than a minute"."""
    if seconds < MINUTE:
        return "less than a minute"
    for unit, name, up_to, step in (
        (MINUTE, "min", 15 * MINUTE, 1),
        (MINUTE, "min", 90 * MINUTE, 5),
        (HOUR, "h", 2 * DAY, 1),
    ):
        if seconds < up_to:
            return f"about {_range(seconds / unit, step)} {name}"
    return f"about {_range(seconds / DAY, 1)} days"


def duration(seconds: float) -> str:
    """An elapsed time: "less than a second", "42 s", "1 min 20 s", "2 h 5 min", "3 d 4 h"."""
    whole = int(seconds)
    if not whole:
        return "less than a second"
    for unit, name, smaller, smaller_name in (
        (DAY, "d", HOUR, "h"),
        (HOUR, "h", MINUTE, "min"),
        (MINUTE, "min", 1, "s"),
    ):
        if whole >= unit:
            rest = whole % unit // smaller
            return f"{whole // unit} {name} {rest} {smaller_name}" if rest else f"{whole // unit} {name}"
    return f"{whole} s"


def some(number: int, one: str, many: str = "") -> str:
    """ "1 job", "2,000 jobs"; with `many` also "1 job was", "2,000 jobs were"."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def _range(amount: float, step: int) -> str:
    low, high = floor(amount * LOW / step) * step, ceil(amount * HIGH / step) * step
    low = max(low, step)
    return f"{low}{TO}{high}" if low < high else f"{high}"
