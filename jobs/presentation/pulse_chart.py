"""The work of the last half hour as a small chart of bars."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.reports.pulse import MINUTES, Pulse

WIDTH, HEIGHT, GAP = 600, 56, 4
#: The least height of a minute in which something was done: it must not look like nothing.
LEAST = 2


@dataclass(frozen=True, slots=True)
class Bar:
    """One minute, in the units of the chart."""

    x: float
    y: float
    height: float
    width: float = round(WIDTH / MINUTES - GAP, 1)


@dataclass(frozen=True, slots=True)
class PulseChart:
    bars: tuple[Bar, ...]
    words: str  # the same in a sentence
    width: int = WIDTH
    height: int = HEIGHT


def pulse_chart(pulse: Pulse) -> PulseChart | None:
    """None while nothing was done in that time."""
    if not pulse.most:
        return None
    bars = tuple(_bar(place, number / pulse.most) for place, number in enumerate(pulse.per_minute) if number)
    return PulseChart(bars, f"Tickets a minute over the last {MINUTES} minutes; at most {pulse.most:,}.")


def _bar(place: int, share: float) -> Bar:
    height = round(max(share * HEIGHT, LEAST), 1)
    return Bar(round(place * WIDTH / MINUTES, 1), round(HEIGHT - height, 1), height)
